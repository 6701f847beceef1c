/** Graphs of the wrong version, with forbidden operators, cycles, and types that do not fit. */
import { FLOAT, INT64, ML, STRING, torchPerceptron, treeRegressor } from './brought-models.ts';
import {
  empty,
  graph,
  type HostileFile,
  int,
  nested,
  node,
  operator,
  withTensor,
  x,
} from './hostile-sketch.ts';
import { onnxFile } from './onnx-file.ts';
import { field, text, varint } from './wire-format.ts';

export const unsoundGraphs: readonly HostileFile[] = [
  // Versions, domains and operators.
  ['an opset of the future', 'ONNX_VERSION_NOT_SUPPORTED', onnxFile({ ...torchPerceptron, opset: 27 })],
  ['an opset of the past', 'ONNX_VERSION_NOT_SUPPORTED', onnxFile({ ...torchPerceptron, opset: 6 })],
  ['an opset of -1', 'ONNX_VERSION_NOT_SUPPORTED', onnxFile({ ...torchPerceptron, opset: -1 })],
  [
    'a classical opset of the future',
    'ONNX_VERSION_NOT_SUPPORTED',
    onnxFile({ ...treeRegressor, opsetMl: 6 }),
  ],
  ['a format of the future', 'ONNX_VERSION_NOT_SUPPORTED', onnxFile({ ...torchPerceptron, ir: 14 })],
  ['a format of the past', 'ONNX_VERSION_NOT_SUPPORTED', onnxFile({ ...torchPerceptron, ir: 1 })],
  ...['com.microsoft', 'ai.onnx.training', 'evil', 'ai.onnx.preview.training'].map(
    (domain): HostileFile => [
      `an operator of ${domain}`,
      'ONNX_OPERATOR_NOT_ALLOWED',
      graph([node('Tokenizer', ['x'], ['prediction'], {}, domain)]),
    ],
  ),
  ...[
    ...[
      'Loop',
      'Scan',
      'If',
      'SequenceMap',
      'NonZero',
      'Unique',
      'Compress',
      'RandomNormal',
      'RandomUniformLike',
    ],
    ...['Multinomial', 'Bernoulli', 'ImageDecoder', 'Resize', 'Einsum', 'Conv', 'LSTM', 'StringSplit'],
    ...['SequenceEmpty', 'Optional', 'RegexFullMatch', 'NotAnOperator', 'constructor', '__proto__', ''],
  ].map(
    (op): HostileFile => [
      `the operator "${op}"`,
      'ONNX_OPERATOR_NOT_ALLOWED',
      graph([node(op, ['x'], ['prediction'])]),
    ],
  ),
  [
    'an operator of the classical domain in the other one',
    'ONNX_OPERATOR_NOT_ALLOWED',
    graph([node('Scaler', ['x'], ['prediction'])]),
  ],
  [
    'a graph in an attribute',
    'ONNX_OPERATOR_NOT_ALLOWED',
    graph([
      {
        ...node('Relu', ['x'], ['prediction']),
        raw: [[...field(1, 2, text('body')), ...field(6, 2, field(2, 2, text('inner')))]],
      },
    ]),
  ],
  [
    'graphs in graphs, a thousand deep',
    'ONNX_OPERATOR_NOT_ALLOWED',
    graph([{ ...node('Relu', ['x'], ['prediction']), raw: [nested(1_000)] }]),
  ],
  [
    'functions of its own',
    'ONNX_OPERATOR_NOT_ALLOWED',
    onnxFile({ ...torchPerceptron, moreOfModel: field(25, 2, field(1, 2, text('f'))) }),
  ],
  [
    'sparse weights',
    'ONNX_OPERATOR_NOT_ALLOWED',
    onnxFile({ ...torchPerceptron, moreOfGraph: field(15, 2, []) }),
  ],

  // The graph.
  ['no nodes', 'ONNX_GRAPH_INVALID', onnxFile(empty)],
  ['no outputs', 'ONNX_GRAPH_INVALID', graph([node('Relu', ['x'], ['y'])], { outputs: [] })],
  ['no inputs', 'ONNX_GRAPH_INVALID', graph([node('Relu', ['x'], ['prediction'])], { inputs: [] })],
  [
    'inputs that are all weights',
    'ONNX_GRAPH_INVALID',
    graph([node('Relu', ['x'], ['prediction'])], {
      initializers: { x: { type: FLOAT, dims: [1, 1], floats: [1] } },
    }),
  ],
  ['an output that nobody makes', 'ONNX_GRAPH_INVALID', graph([node('Relu', ['x'], ['y'])])],
  ['an input that nobody makes', 'ONNX_GRAPH_INVALID', graph([node('Relu', ['nobody'], ['prediction'])])],
  ['a node that feeds itself', 'ONNX_GRAPH_INVALID', graph([node('Relu', ['prediction'], ['prediction'])])],
  [
    'a cycle of two',
    'ONNX_GRAPH_INVALID',
    graph([node('Add', ['x', 'b'], ['a']), node('Relu', ['a'], ['b']), node('Relu', ['b'], ['prediction'])]),
  ],
  [
    'an output made twice',
    'ONNX_GRAPH_INVALID',
    graph([node('Relu', ['x'], ['prediction']), node('Abs', ['x'], ['prediction'])]),
  ],
  [
    'an input made again',
    'ONNX_GRAPH_INVALID',
    graph([node('Relu', ['x'], ['x']), node('Abs', ['x'], ['prediction'])]),
  ],
  ['an input twice', 'ONNX_GRAPH_INVALID', graph([node('Relu', ['x'], ['prediction'])], { inputs: [x, x] })],
  [
    'an attribute twice',
    'ONNX_GRAPH_INVALID',
    graph([
      {
        ...node('LeakyRelu', ['x'], ['prediction'], { alpha: { float: 1 } }),
        raw: [[...field(1, 2, text('alpha')), ...field(20, 0, varint(1))]],
      },
    ]),
  ],
  ['an operator without its input', 'ONNX_GRAPH_INVALID', graph([node('Relu', [], ['prediction'])])],
  [
    'an output left out of two that are not there',
    'ONNX_OPERATOR_NOT_ALLOWED',
    graph([node('Relu', ['x'], ['prediction', 'more'])]),
  ],

  // Types.
  [
    'text where numbers belong',
    'ONNX_GRAPH_INVALID',
    graph([node('Relu', ['x'], ['prediction'])], { inputs: [['x', STRING, ['N', 4]]] }),
  ],
  [
    'a sum of float and int64',
    'ONNX_GRAPH_INVALID',
    operator('Add', { weights: { type: INT64, dims: [1], ints: [1] } }),
  ],
  [
    'an output of another type than declared',
    'ONNX_GRAPH_INVALID',
    graph([node('Relu', ['x'], ['prediction'])], { outputs: [['prediction', INT64, ['N', 4]]] }),
  ],
  ['a cast to a type that is none', 'ONNX_GRAPH_INVALID', operator('Cast', {}, { to: int(99) })],
  [
    'an input of complex numbers',
    'ONNX_GRAPH_INVALID',
    graph([node('Relu', ['x'], ['prediction'])], { inputs: [['x', 15, ['N', 4]]] }),
  ],
  ['weights of a type that is none', 'ONNX_GRAPH_INVALID', withTensor([], { type: 77 })],
  [
    'a logical and of numbers',
    'ONNX_GRAPH_INVALID',
    operator('And', { other: { type: FLOAT, dims: [1], floats: [1] } }),
  ],
  [
    'an index of floats',
    'ONNX_GRAPH_INVALID',
    operator('Gather', { at: { type: FLOAT, dims: [1], floats: [1] } }),
  ],
  [
    'a lookup of texts in numbers',
    'ONNX_GRAPH_INVALID',
    graph([
      node(
        'LabelEncoder',
        ['x'],
        ['prediction'],
        { keys_strings: { texts: ['a'] }, values_floats: { floats: [1] } },
        ML,
      ),
    ]),
  ],
];
