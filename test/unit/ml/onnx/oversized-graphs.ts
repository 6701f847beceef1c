/** Graphs with shapes that do not fit, are huge, or come from data. */
import { FLOAT, INT64, STRING } from './brought-models.ts';
import {
  graph,
  type HostileFile,
  int,
  ints,
  manyNodes,
  node,
  operator,
  withTensor,
} from './hostile-sketch.ts';
import type { ValueSketch } from './onnx-file.ts';

export const oversizedGraphs: readonly HostileFile[] = [
  // Shapes.
  [
    'a matrix of another height',
    'ONNX_GRAPH_INVALID',
    operator('MatMul', { w: { type: FLOAT, dims: [3, 1], floats: [1, 2, 3] } }),
  ],
  [
    'weights of another width',
    'ONNX_GRAPH_INVALID',
    operator('Add', { w: { type: FLOAT, dims: [3], floats: [1, 2, 3] } }),
  ],
  ['an axis beyond all', 'ONNX_GRAPH_INVALID', operator('Concat', {}, { axis: int(9) })],
  ['an axis far below', 'ONNX_GRAPH_INVALID', operator('ArgMax', {}, { axis: int(-(2 ** 40)) })],
  ['a reshape to another number', 'ONNX_GRAPH_INVALID', operator('Reshape', { shape: ints(-1, 3) })],
  ['a reshape with two holes', 'ONNX_GRAPH_INVALID', operator('Reshape', { shape: ints(-1, -1) })],
  ['a reshape to a negative size', 'ONNX_GRAPH_INVALID', operator('Reshape', { shape: ints(-7, 4) })],
  ['an expansion to a negative size', 'ONNX_GRAPH_INVALID', operator('Expand', { shape: ints(-1, -5) })],
  ['a transposition of nothing', 'ONNX_GRAPH_INVALID', operator('Transpose', {}, { perm: { ints: [0, 0] } })],
  ['more of the best than there are', 'ONNX_GRAPH_INVALID', operator('TopK', { k: ints(9) })],
  [
    'an input with a negative size',
    'ONNX_GRAPH_INVALID',
    graph([node('Relu', ['x'], ['prediction'])], { inputs: [['x', FLOAT, ['N', -4]]] }),
  ],
  [
    'an input without rows',
    'ONNX_GRAPH_INVALID',
    graph([node('Relu', ['x'], ['prediction'])], { inputs: [['x', FLOAT, []]] }),
  ],
  [
    'an input of unknown rank',
    'ONNX_SIGNATURE_NOT_SUPPORTED',
    graph([node('Relu', ['x'], ['prediction'])], { inputs: [['x', FLOAT, undefined]] }),
  ],
  [
    'an input of unknown width',
    'ONNX_SIGNATURE_NOT_SUPPORTED',
    graph([node('Relu', ['x'], ['prediction'])], { inputs: [['x', FLOAT, ['N', 'M']]] }),
  ],

  // Sizes.
  [
    'weights of 2^62 elements without any',
    'ONNX_DAMAGED',
    withTensor([], { dims: [2 ** 31, 2 ** 31], floats: [] }),
  ],
  ['weights of a negative size', 'ONNX_DAMAGED', withTensor([], { dims: [-5] })],
  ['fewer weights than promised', 'ONNX_DAMAGED', withTensor([], { dims: [4] })],
  ['more weights than promised', 'ONNX_DAMAGED', withTensor([], { floats: [1, 2, 3] })],
  [
    'texts that are not there',
    'ONNX_GRAPH_INVALID',
    withTensor([], { type: STRING, dims: [3], texts: ['a'] }),
  ],
  ['weights of 33 dimensions', 'ONNX_DAMAGED', withTensor([], { dims: new Array<number>(33).fill(1) })],
  ['weights of nine dimensions', 'ONNX_TOO_LARGE', withTensor([], { dims: new Array<number>(9).fill(1) })],
  [
    'a row of a million columns',
    'ONNX_TOO_LARGE',
    graph([node('Relu', ['x'], ['prediction'])], { inputs: [['x', FLOAT, ['N', 1_000_000]]] }),
  ],
  ['a row expanded a million times', 'ONNX_TOO_LARGE', operator('Expand', { shape: ints(250_000, 1, 4) })],
  ['a row tiled a million times', 'ONNX_TOO_LARGE', operator('Tile', { repeats: ints(1, 1_000_000) })],
  ['a row tiled 2^52 times', 'ONNX_TOO_LARGE', operator('Tile', { repeats: ints(1, 2 ** 52) })],
  ['padding of a million', 'ONNX_TOO_LARGE', operator('Pad', { pads: ints(0, 0, 0, 1_000_000) })],
  [
    'a billion zeros',
    'ONNX_TOO_LARGE',
    graph([node('ConstantOfShape', ['size'], ['z']), node('Relu', ['x'], ['prediction'])], {
      initializers: { size: ints(1 << 15, 1 << 15) },
    }),
  ],
  [
    'a range to a billion',
    'ONNX_TOO_LARGE',
    graph([node('Range', ['from', 'to', 'by'], ['r']), node('Relu', ['x'], ['prediction'])], {
      initializers: { from: ints(0), to: ints(1e9), by: ints(1) },
    }),
  ],
  [
    'one of a billion hot',
    'ONNX_TOO_LARGE',
    graph(
      [
        node('Cast', ['x'], ['i'], { to: int(INT64) }),
        node('OneHot', ['i', 'depth', 'values'], ['prediction']),
      ],
      {
        initializers: { depth: ints(1e9), values: { type: FLOAT, dims: [2], floats: [0, 1] } },
      },
    ),
  ],
  [
    'a width doubled forty times',
    'ONNX_TOO_LARGE',
    graph(
      Array.from({ length: 40 }, (_, i) => {
        const from = i === 0 ? 'x' : `v${i - 1}`;
        return node('Concat', [from, from], [i === 39 ? 'prediction' : `v${i}`], { axis: int(1) });
      }),
    ),
  ],
  [
    'two vectors that multiply to a matrix of a million a row',
    'ONNX_TOO_LARGE',
    graph(
      [
        node('Reshape', ['x', 'tall'], ['t']),
        node('Tile', ['t', 'many'], ['long']),
        node('Add', ['long', 'wide'], ['prediction']),
      ],
      {
        initializers: {
          tall: ints(-1, 4, 1),
          many: ints(1, 256, 1),
          wide: { type: FLOAT, dims: [1024], floats: new Array<number>(1024).fill(0) },
        },
      },
    ),
  ],
  [
    'a tensor that grows with the square of the rows',
    'ONNX_TOO_LARGE',
    graph([node('Transpose', ['x'], ['turned']), node('MatMul', ['x', 'turned'], ['prediction'])]),
  ],
  [
    'an index of half a million for each row',
    'ONNX_TOO_LARGE',
    operator(
      'Gather',
      { at: { type: INT64, dims: [500_000], ints: new Array<number>(500_000).fill(0) } },
      { axis: int(1) },
    ),
  ],
  ['more nodes than are taken', 'ONNX_TOO_LARGE', graph(manyNodes(20_001))],
  [
    'more outputs than are taken',
    'ONNX_TOO_LARGE',
    graph(manyNodes(70), {
      outputs: Array.from({ length: 70 }, (_, i): ValueSketch => [`v${i}`, FLOAT, ['N', 4]]),
    }),
  ],

  // Shapes from data.
  ...(['Reshape', 'Expand', 'Tile'] as const).map(
    (op): HostileFile => [
      `a shape from data for ${op}`,
      'ONNX_SHAPE_FROM_DATA',
      graph([node('Cast', ['x'], ['shape'], { to: int(INT64) }), node(op, ['x', 'shape'], ['prediction'])]),
    ],
  ),
  [
    'zeros as many as the data say',
    'ONNX_SHAPE_FROM_DATA',
    graph([
      node('Cast', ['x'], ['shape'], { to: int(INT64) }),
      node('ConstantOfShape', ['shape'], ['prediction']),
    ]),
  ],
  [
    'a range as long as the data say',
    'ONNX_SHAPE_FROM_DATA',
    graph([node('ReduceMax', ['x'], ['to']), node('Range', ['zero', 'to', 'one'], ['prediction'])], {
      initializers: { zero: ints(0), one: ints(1) },
    }),
  ],
  [
    'a shape that is computed by arithmetic on data',
    'ONNX_SHAPE_FROM_DATA',
    graph([
      node('Shape', ['x'], ['s']),
      node('Cast', ['s'], ['f'], { to: int(FLOAT) }),
      node('Mul', ['f', 'f'], ['m']),
      node('Cast', ['m'], ['big'], { to: int(INT64) }),
      node('ConstantOfShape', ['big'], ['prediction']),
    ]),
  ],
  [
    'the number of rows, squared',
    'ONNX_TOO_LARGE',
    graph(
      [
        node('Shape', ['x'], ['s']),
        node('Gather', ['s', 'first'], ['n']),
        node('Mul', ['n', 'n'], ['square']),
        node('ConstantOfShape', ['square'], ['prediction']),
      ],
      { initializers: { first: ints(0) } },
    ),
  ],
  [
    'the number of rows, times a million',
    'ONNX_TOO_LARGE',
    graph(
      [
        node('Shape', ['x'], ['s']),
        node('Gather', ['s', 'first'], ['n']),
        node('Mul', ['n', 'million'], ['many']),
        node('ConstantOfShape', ['many'], ['prediction']),
      ],
      { initializers: { first: ints(0), million: ints(1_000_000) } },
    ),
  ],
  [
    'an axis from data',
    'ONNX_SHAPE_FROM_DATA',
    graph([
      node('Cast', ['x'], ['axes'], { to: int(INT64) }),
      node('ReduceSum', ['x', 'axes'], ['prediction']),
    ]),
  ],
  [
    'a cut from data',
    'ONNX_SHAPE_FROM_DATA',
    graph([
      node('Cast', ['x'], ['to'], { to: int(INT64) }),
      node('Slice', ['x', 'to', 'to'], ['prediction']),
    ]),
  ],
];
