/** Short ways to write a graph that something is wrong with. */
import type { RefusalCode } from '../../../../src/ml/onnx/inspect/refusal.ts';
import {
  FLOAT,
  INT64,
  torchPerceptron,
  treeAttributes,
  treeClassifier,
  treeRegressor,
} from './brought-models.ts';
import {
  type AttributeSketch,
  type ModelSketch,
  type NodeSketch,
  onnxFile,
  type TensorSketch,
  type ValueSketch,
} from './onnx-file.ts';
import { field, text } from './wire-format.ts';

export type HostileFile = readonly [name: string, code: RefusalCode, bytes: Uint8Array];

export const x: ValueSketch = ['x', FLOAT, ['N', 4]];
export const out: ValueSketch = ['prediction', FLOAT, ['N', 1]];
export const empty: ModelSketch = { inputs: [x], nodes: [], outputs: [out] };

export const int = (value: number): AttributeSketch => ({ int: value });
export const ints = (...values: number[]): TensorSketch => ({
  type: INT64,
  dims: [values.length],
  ints: values,
});

export function node(
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Record<string, AttributeSketch> = {},
  domain = '',
): NodeSketch {
  return { op, inputs, outputs, attributes, domain };
}

/** A graph over x that ends with these nodes. */
export function graph(nodes: readonly NodeSketch[], more: Partial<ModelSketch> = {}): Uint8Array {
  return onnxFile({ ...empty, nodes, ...more });
}

/** One operator with constant inputs beside x. */
export function operator(
  op: string,
  constants: Record<string, TensorSketch>,
  attributes: Record<string, AttributeSketch> = {},
  more: Partial<ModelSketch> = {},
): Uint8Array {
  const inputs = ['x', ...Object.keys(constants)];
  return graph([node(op, inputs, ['prediction'], attributes)], { initializers: constants, ...more });
}

export function trees(
  changed: Record<string, AttributeSketch>,
  entries: 'class' | 'target' = 'target',
): Uint8Array {
  const sketch = entries === 'target' ? treeRegressor : treeClassifier;
  const [one] = sketch.nodes;
  return onnxFile({ ...sketch, nodes: [{ ...one!, attributes: { ...one!.attributes, ...changed } }] });
}

export const withTensor = (more: readonly number[], tensor: Partial<TensorSketch> = {}) =>
  operator('Add', { weights: { type: FLOAT, dims: [1], floats: [1], more, ...tensor } });

export const manyNodes = (count: number) =>
  Array.from({ length: count }, (_, i) => node('Relu', [i === 0 ? 'x' : `v${i - 1}`], [`v${i}`]));

export const deepTree = (depth: number): Record<string, AttributeSketch> => {
  const numbers = Array.from({ length: 2 * depth + 1 }, (_, i) => i);
  return {
    ...treeAttributes('target'),
    nodes_treeids: { ints: numbers.map(() => 0) },
    nodes_nodeids: { ints: numbers },
    nodes_featureids: { ints: numbers.map(() => 0) },
    nodes_modes: { texts: numbers.map((i) => (i < depth ? 'BRANCH_LEQ' : 'LEAF')) },
    nodes_values: { floats: numbers },
    nodes_truenodeids: { ints: numbers.map((i) => (i < depth ? i + 1 : 0)) },
    nodes_falsenodeids: { ints: numbers.map((i) => (i < depth ? depth + 1 + i : 0)) },
    target_treeids: { ints: [0] },
    target_nodeids: { ints: [depth] },
    target_ids: { ints: [0] },
    target_weights: { floats: [1] },
  };
};

export const perceptronWith = (name: string, tensor: TensorSketch) =>
  onnxFile({ ...torchPerceptron, initializers: { ...torchPerceptron.initializers, [name]: tensor } });

/** An attribute that holds a graph with a node with an attribute that holds a graph, and so on. */
export function nested(depth: number): number[] {
  let inner: number[] = [...field(2, 2, text('end'))];
  for (let i = 0; i < depth; i++)
    inner = field(1, 2, field(5, 2, [...field(1, 2, text('g')), ...field(6, 2, inner)]));
  return [...field(1, 2, text('body')), ...field(6, 2, inner)];
}
