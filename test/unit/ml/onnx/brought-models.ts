/** Good files, in the shapes that skl2onnx, onnxmltools, torch.onnx and hummingbird write. */
import type { AttributeSketch, ModelSketch, NodeSketch } from './onnx-file.ts';

export const FLOAT = 1;
export const INT64 = 7;
export const STRING = 8;
export const ML = 'ai.onnx.ml';

/** One stump over column 0 and one leaf alone, for two classes or one target. */
export function treeAttributes(entries: 'class' | 'target'): Record<string, AttributeSketch> {
  return {
    nodes_treeids: { ints: [0, 0, 0, 1] },
    nodes_nodeids: { ints: [0, 1, 2, 0] },
    nodes_featureids: { ints: [0, 0, 0, 0] },
    nodes_modes: { texts: ['BRANCH_LEQ', 'LEAF', 'LEAF', 'LEAF'] },
    nodes_values: { floats: [0.5, 0, 0, 0] },
    nodes_truenodeids: { ints: [1, 0, 0, 0] },
    nodes_falsenodeids: { ints: [2, 0, 0, 0] },
    [`${entries}_treeids`]: { ints: [0, 0, 1] },
    [`${entries}_nodeids`]: { ints: [1, 2, 0] },
    [`${entries}_ids`]: { ints: entries === 'class' ? [0, 1, 1] : [0, 0, 0] },
    [`${entries}_weights`]: { floats: [0.25, 0.5, 0.25] },
    post_transform: { text: 'NONE' },
  };
}

const node = (
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Record<string, AttributeSketch> = {},
  domain = '',
): NodeSketch => ({ op, inputs, outputs, attributes, domain });

export const treeClassifier: ModelSketch = {
  producer: 'skl2onnx',
  inputs: [['X', FLOAT, [undefined, 4]]],
  nodes: [
    node(
      'TreeEnsembleClassifier',
      ['X'],
      ['label', 'probabilities'],
      { ...treeAttributes('class'), classlabels_strings: { texts: ['no', 'yes'] } },
      ML,
    ),
  ],
  outputs: [
    ['label', STRING, [undefined]],
    ['probabilities', FLOAT, [undefined, 2]],
  ],
};

export const treeRegressor: ModelSketch = {
  producer: 'OnnxMLTools',
  inputs: [['input', FLOAT, ['N', 3]]],
  nodes: [
    node(
      'TreeEnsembleRegressor',
      ['input'],
      ['variable'],
      { ...treeAttributes('target'), n_targets: { int: 1 } },
      ML,
    ),
  ],
  outputs: [['variable', FLOAT, ['N', 1]]],
};

const linearClassifier: ModelSketch = {
  producer: 'skl2onnx',
  inputs: [['X', FLOAT, [undefined, 3]]],
  nodes: [
    node('Scaler', ['X'], ['scaled'], { offset: { floats: [1, 2, 3] }, scale: { floats: [1, 1, 0.5] } }, ML),
    node(
      'LinearClassifier',
      ['scaled'],
      ['best', 'raw'],
      {
        coefficients: { floats: [1, 0, 0, 0, 1, 0, 0, 0, 1] },
        intercepts: { floats: [0, 0, 0] },
        classlabels_ints: { ints: [3, 5, 7] },
        multi_class: { int: 1 },
        post_transform: { text: 'LOGISTIC' },
      },
      ML,
    ),
    node('Normalizer', ['raw'], ['probabilities'], { norm: { text: 'L1' } }, ML),
    node('Cast', ['best'], ['wide'], { to: { int: INT64 } }),
    node('Reshape', ['wide', 'flat'], ['label']),
  ],
  initializers: { flat: { type: INT64, dims: [1], ints: [-1] } },
  outputs: [
    ['label', INT64, [undefined]],
    ['probabilities', FLOAT, [undefined, 3]],
  ],
};

const columnPipeline: ModelSketch = {
  producer: 'skl2onnx',
  inputs: [
    ['age', FLOAT, [undefined, 1]],
    ['pay', FLOAT, [undefined, 1]],
    ['city', STRING, [undefined, 1]],
  ],
  nodes: [
    node('Concat', ['age', 'pay'], ['numbers'], { axis: { int: 1 } }),
    node(
      'Imputer',
      ['numbers'],
      ['filled'],
      { imputed_value_floats: { floats: [40, 3] }, replaced_value_float: { float: Number.NaN } },
      ML,
    ),
    node(
      'OneHotEncoder',
      ['city'],
      ['hot'],
      { cats_strings: { texts: ['Bern', 'Genf'] }, zeros: { int: 1 } },
      ML,
    ),
    node('Reshape', ['hot', 'wide'], ['flat']),
    node('Concat', ['filled', 'flat'], ['all'], { axis: { int: -1 } }),
    node(
      'LinearRegressor',
      ['all'],
      ['variable'],
      { coefficients: { floats: [1, 2, 3, 4] }, intercepts: { floats: [1] } },
      ML,
    ),
  ],
  initializers: { wide: { type: INT64, dims: [2], ints: [-1, 2] } },
  outputs: [['variable', FLOAT, [undefined, 1]]],
};

const classTable: ModelSketch = {
  producer: 'skl2onnx',
  inputs: [['X', FLOAT, [undefined, 2]]],
  nodes: [
    node('MatMul', ['X', 'weights'], ['scores']),
    node('Softmax', ['scores'], ['probabilities'], { axis: { int: 1 } }),
    node('ArgMax', ['probabilities'], ['best'], { axis: { int: 1 }, keepdims: { int: 0 } }),
    node('ArrayFeatureExtractor', ['classes', 'best'], ['found'], {}, ML),
    node('Reshape', ['found', 'flat'], ['output_label']),
  ],
  initializers: {
    weights: { type: FLOAT, dims: [2, 3], floats: [1, 2, 3, 4, 5, 6] },
    classes: { type: STRING, dims: [3], texts: ['a', 'b', 'c'] },
    flat: { type: INT64, dims: [1], ints: [-1] },
  },
  outputs: [
    ['output_label', STRING, [undefined]],
    ['probabilities', FLOAT, [undefined, 3]],
  ],
};

export const torchPerceptron: ModelSketch = {
  producer: 'pytorch',
  inputs: [['input', FLOAT, ['N', 4]]],
  nodes: [
    node('Gemm', ['input', 'fc1.weight', 'fc1.bias'], ['/fc1/Gemm_output_0'], { transB: { int: 1 } }),
    node('Relu', ['/fc1/Gemm_output_0'], ['/Relu_output_0']),
    node('Gemm', ['/Relu_output_0', 'fc2.weight', 'fc2.bias'], ['output'], { transB: { int: 1 } }),
  ],
  initializers: {
    'fc1.weight': { type: FLOAT, dims: [2, 4], floats: [1, 0, 0, 0, 0, 1, 0, 0] },
    'fc1.bias': { type: FLOAT, dims: [2], floats: [0.5, -0.5] },
    'fc2.weight': { type: FLOAT, dims: [1, 2], floats: [1, -1] },
    'fc2.bias': { type: FLOAT, dims: [1], floats: [0] },
  },
  outputs: [['output', FLOAT, ['N', 1]]],
};

/** view(x.size(0), -1): a shape that is made of the number of rows. */
const torchView: ModelSketch = {
  producer: 'pytorch',
  inputs: [['input', FLOAT, ['N', 2, 3]]],
  nodes: [
    node('Shape', ['input'], ['shape']),
    node('Gather', ['shape', 'zero'], ['rows'], { axis: { int: 0 } }),
    node('Unsqueeze', ['rows', 'axes'], ['one']),
    node('Concat', ['one', 'rest'], ['wanted'], { axis: { int: 0 } }),
    node('Reshape', ['input', 'wanted'], ['flat']),
    node('ReduceMean', ['flat'], ['output'], { axes: { ints: [1] }, keepdims: { int: 1 } }),
  ],
  initializers: {
    zero: { type: INT64, dims: [], ints: [0] },
    axes: { type: INT64, dims: [1], ints: [0] },
    rest: { type: INT64, dims: [1], ints: [-1] },
  },
  outputs: [['output', FLOAT, ['N', 1]]],
};

/** Trees as matrices: which leaf agrees with every test on its way. */
const hummingbird: ModelSketch = {
  producer: 'pytorch',
  inputs: [['input_0', FLOAT, ['N', 2]]],
  nodes: [
    node('Constant', [], ['columns'], { value: { tensor: { type: INT64, dims: [3], ints: [0, 1, 0] } } }),
    node('Gather', ['input_0', 'columns'], ['tested'], { axis: { int: 1 } }),
    node('Less', ['tested', 'thresholds'], ['left']),
    node('Cast', ['left'], ['sides'], { to: { int: FLOAT } }),
    node('MatMul', ['sides', 'paths'], ['agreeing']),
    node('ReduceSum', ['agreeing', 'axes'], ['sum'], { keepdims: { int: 1 } }),
    node('Sigmoid', ['sum'], ['second']),
    node('Sub', ['one', 'second'], ['first']),
    node('Concat', ['first', 'second'], ['probabilities'], { axis: { int: 1 } }),
    node('ArgMax', ['probabilities'], ['label'], { axis: { int: 1 }, keepdims: { int: 0 } }),
  ],
  initializers: {
    thresholds: { type: FLOAT, dims: [3], floats: [0.1, 0.2, 0.3] },
    paths: { type: FLOAT, dims: [3, 2], floats: [1, 0, 0, 1, 1, 1] },
    axes: { type: INT64, dims: [1], ints: [1] },
    one: { type: FLOAT, dims: [1], floats: [1] },
  },
  outputs: [
    ['label', INT64, ['N']],
    ['probabilities', FLOAT, ['N', 2]],
  ],
};

const svm: ModelSketch = {
  producer: 'skl2onnx',
  inputs: [['X', FLOAT, [undefined, 2]]],
  nodes: [
    node(
      'SVMRegressor',
      ['X'],
      ['variable'],
      {
        coefficients: { floats: [0.5, -0.5] },
        kernel_params: { floats: [0.5, 0, 3] },
        kernel_type: { text: 'RBF' },
        n_supports: { int: 2 },
        rho: { floats: [0.1] },
        support_vectors: { floats: [1, 2, 3, 4] },
      },
      ML,
    ),
  ],
  outputs: [['variable', FLOAT, [undefined, 1]]],
};

export const goodModels: Readonly<Record<string, ModelSketch>> = {
  'a tree classifier of skl2onnx': treeClassifier,
  'a boosted regressor of onnxmltools': treeRegressor,
  'a scaled linear classifier of skl2onnx': linearClassifier,
  'a pipeline over columns of skl2onnx': columnPipeline,
  'a classifier that looks its label up': classTable,
  'a perceptron of torch.onnx': torchPerceptron,
  'a network of torch.onnx with a shape made of rows': torchView,
  'trees as matrices of hummingbird': hummingbird,
  'a support vector machine of skl2onnx': svm,
};
