/** Graphs with weights elsewhere, broken trees and parameters, outputs that say nothing, and broken bytes. */
import { FLOAT, ML, STRING, treeClassifier } from './brought-models.ts';
import {
  deepTree,
  graph,
  type HostileFile,
  int,
  node,
  perceptronWith,
  trees,
  withTensor,
} from './hostile-sketch.ts';
import { onnxFile, tensorBytes } from './onnx-file.ts';
import { field, text } from './wire-format.ts';

export const unsoundContent: readonly HostileFile[] = [
  // External data.
  ['weights in another file', 'ONNX_EXTERNAL_DATA', withTensor(field(14, 0, [1]))],
  [
    'weights with the path of a file',
    'ONNX_EXTERNAL_DATA',
    withTensor(field(13, 2, [...field(1, 2, text('location')), ...field(2, 2, text('/etc/passwd'))])),
  ],
  ['a part of weights', 'ONNX_EXTERNAL_DATA', withTensor(field(3, 2, []))],
  [
    'a constant in another file',
    'ONNX_EXTERNAL_DATA',
    graph([
      {
        ...node('Constant', [], ['c']),
        raw: [
          [
            ...field(1, 2, text('value')),
            ...field(5, 2, tensorBytes({ type: FLOAT, dims: [1], more: field(14, 0, [1]) })),
            ...field(20, 0, [4]),
          ],
        ],
      },
      node('Add', ['x', 'c'], ['prediction']),
    ]),
  ],

  // Trees and other classical operators.
  [
    'a tree that goes round in a circle',
    'ONNX_GRAPH_INVALID',
    trees({ nodes_truenodeids: { ints: [0, 0, 0, 0] } }),
  ],
  ['a child that is not there', 'ONNX_GRAPH_INVALID', trees({ nodes_falsenodeids: { ints: [9, 0, 0, 0] } })],
  ['a child of another tree', 'ONNX_GRAPH_INVALID', trees({ nodes_treeids: { ints: [0, 1, 0, 2] } })],
  ['a negative child', 'ONNX_GRAPH_INVALID', trees({ nodes_falsenodeids: { ints: [-1, 0, 0, 0] } })],
  ['a node twice', 'ONNX_GRAPH_INVALID', trees({ nodes_nodeids: { ints: [0, 1, 1, 0] } })],
  ['a column that is not there', 'ONNX_GRAPH_INVALID', trees({ nodes_featureids: { ints: [3, 0, 0, 0] } })],
  ['a negative column', 'ONNX_GRAPH_INVALID', trees({ nodes_featureids: { ints: [-1, 0, 0, 0] } })],
  [
    'a mode that is none',
    'ONNX_GRAPH_INVALID',
    trees({ nodes_modes: { texts: ['BRANCH_MAYBE', 'LEAF', 'LEAF', 'LEAF'] } }),
  ],
  ['lists of different lengths', 'ONNX_GRAPH_INVALID', trees({ nodes_values: { floats: [1] } })],
  ['a target that is not there', 'ONNX_GRAPH_INVALID', trees({ target_ids: { ints: [0, 4, 0] } })],
  [
    'a value of a leaf that is not there',
    'ONNX_GRAPH_INVALID',
    trees({ target_nodeids: { ints: [1, 7, 0] } }),
  ],
  ['a billion targets', 'ONNX_TOO_LARGE', trees({ n_targets: int(1e9) })],
  ['no targets', 'ONNX_GRAPH_INVALID', trees({ n_targets: int(0) })],
  ['a tree of 5,000 steps', 'ONNX_GRAPH_INVALID', trees(deepTree(5_000))],
  ['a class that is not there', 'ONNX_GRAPH_INVALID', trees({ class_ids: { ints: [0, 5, 1] } }, 'class')],
  ['no classes', 'ONNX_GRAPH_INVALID', trees({ classlabels_strings: { texts: [] } }, 'class')],
  [
    'coefficients for other columns',
    'ONNX_GRAPH_INVALID',
    graph([node('LinearRegressor', ['x'], ['prediction'], { coefficients: { floats: [1, 2] } }, ML)]),
  ],
  [
    'support vectors of another width',
    'ONNX_GRAPH_INVALID',
    graph([
      node(
        'SVMRegressor',
        ['x'],
        ['prediction'],
        { n_supports: int(3), support_vectors: { floats: [1] } },
        ML,
      ),
    ]),
  ],
  [
    'a text index of a billion',
    'ONNX_TOO_LARGE',
    graph(
      [
        node('TfIdfVectorizer', ['x'], ['prediction'], {
          ngram_counts: { ints: [0] },
          ngram_indexes: { ints: [1e9] },
          pool_strings: { texts: ['a'] },
        }),
      ],
      { inputs: [['x', STRING, ['N', 4]]] },
    ),
  ],

  // Signatures.
  [
    'probabilities as maps',
    'ONNX_SIGNATURE_NOT_SUPPORTED',
    onnxFile({
      ...treeClassifier,
      nodes: [
        ...treeClassifier.nodes,
        node('ZipMap', ['probabilities'], ['maps'], { classlabels_strings: { texts: ['no', 'yes'] } }, ML),
      ],
    }),
  ],
  [
    'two results for each row',
    'ONNX_SIGNATURE_NOT_SUPPORTED',
    graph([node('Concat', ['x', 'x'], ['prediction'], { axis: int(0) })]),
  ],
  [
    'one result for all rows',
    'ONNX_SIGNATURE_NOT_SUPPORTED',
    graph([node('ReduceMean', ['x'], ['prediction'], { axes: { ints: [0] } })]),
  ],
  ['rows on their side', 'ONNX_SIGNATURE_NOT_SUPPORTED', graph([node('Transpose', ['x'], ['prediction'])])],
  [
    'inputs with different numbers of rows',
    'ONNX_SIGNATURE_NOT_SUPPORTED',
    graph([node('Relu', ['x'], ['prediction'])], {
      inputs: [
        ['x', 1, ['N', 4]],
        ['other', 1, [7, 1]],
      ],
    }),
  ],
  [
    'outputs of which none is the prediction',
    'ONNX_SIGNATURE_NOT_SUPPORTED',
    graph([node('Relu', ['x'], ['a']), node('Abs', ['x'], ['b'])], {
      outputs: [
        ['a', FLOAT, ['N', 4]],
        ['b', FLOAT, ['N', 4]],
      ],
    }),
  ],

  // The bytes.
  [
    'a name that is no UTF-8',
    'ONNX_DAMAGED',
    Uint8Array.from([...field(1, 0, [8]), ...field(7, 2, field(1, 2, field(1, 2, [0xff])))]),
  ],
  ['a number of eleven bytes', 'ONNX_DAMAGED', Uint8Array.from([8, ...new Array<number>(10).fill(0xff), 1])],
  [
    'a length of 2^63',
    'ONNX_DAMAGED',
    Uint8Array.from([...field(1, 0, [8]), 7 * 8 + 2, ...new Array<number>(9).fill(0xff), 1]),
  ],
  ['a group', 'ONNX_DAMAGED', Uint8Array.from([...field(1, 0, [8]), 3 * 8 + 3])],
  [
    'two graphs',
    'ONNX_DAMAGED',
    Uint8Array.from([...field(1, 0, [8]), ...field(7, 2, []), ...field(7, 2, [])]),
  ],
  [
    'a hundred thousand empty nodes',
    'ONNX_DAMAGED',
    Uint8Array.from([
      ...field(1, 0, [8]),
      ...field(7, 2, new Array<number[]>(100_000).fill([0x0a, 0]).flat()),
    ]),
  ],
  [
    'weights in half a float',
    'ONNX_DAMAGED',
    perceptronWith('fc1.bias', { type: FLOAT, dims: [2], more: field(9, 2, [1, 2, 3]) }),
  ],
];
