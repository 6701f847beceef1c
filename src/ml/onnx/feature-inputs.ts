/** The graph's inputs, one of shape [N, 1] per feature, and what preprocessing reads from them. */
import type { FeatureSpec } from '../pipeline-model.ts';
import { attribute, type GraphBuilder } from './graph-builder.ts';
import { ElementType } from './onnx-versions.ts';

/** Which input belongs to which feature: its name, unless an output or another feature has it. */
export interface FeatureInput {
  readonly name: string;
  readonly type: FeatureSpec['type'];
  readonly input: string;
}

export function declareFeatureInputs(graph: GraphBuilder, features: readonly FeatureSpec[]): FeatureInput[] {
  return features.map((feature, position) => ({
    name: feature.name,
    type: feature.type,
    input: graph.input(
      // Callers feed a graph by an object, in which JavaScript's own name cannot be a key; a graph's names are UTF-8,
      // and the runtime ends them at NUL.
      feature.name === '' || feature.name === '__proto__' || feature.name.includes('\0')
        ? `feature_${position}`
        : feature.name.toWellFormed(),
      inputElementType(feature.type),
    ),
  }));
}

function inputElementType(type: FeatureSpec['type']): ElementType {
  if (type === 'category') return ElementType.string;
  return type === 'date' ? ElementType.int64 : ElementType.float;
}

/** float32 [N, 1]: the number of each string, `otherwise` for every other one. */
export function categoryToFloat(
  graph: GraphBuilder,
  feature: FeatureInput,
  keys: readonly string[],
  values: readonly number[],
  otherwise = Number.NaN,
): string {
  return graph.node('LabelEncoder', [feature.input], {
    domain: 'ai.onnx.ml',
    attributes: [
      attribute.strings('keys_strings', keys),
      attribute.floats('values_floats', values),
      attribute.float('default_float', otherwise),
    ],
  });
}

/** int64 [N, 1]: the number of each string, `otherwise` for every other one. */
export function categoryToInt64(
  graph: GraphBuilder,
  feature: FeatureInput,
  keys: readonly string[],
  values: readonly number[],
  otherwise: number,
): string {
  return graph.node('LabelEncoder', [feature.input], {
    domain: 'ai.onnx.ml',
    attributes: [
      attribute.strings('keys_strings', keys),
      attribute.ints('values_int64s', values),
      attribute.int('default_int64', otherwise),
    ],
  });
}

/** Columns side by side: [N, columns]. */
export function concatenated(graph: GraphBuilder, columns: readonly string[]): string {
  return columns.length === 1
    ? columns[0]!
    : graph.node('Concat', columns, { attributes: [attribute.int('axis', 1)] });
}

/** double [N, nScores]: the same scores for every row, for a model that looks at nothing. */
export function constantScores(graph: GraphBuilder, anyInput: string, scores: readonly number[]): string {
  const zeros = graph.node('ConstantOfShape', [graph.node('Shape', [anyInput])], {
    attributes: [attribute.doubleScalar('value', 0)],
  });
  return graph.node('Add', [zeros, graph.doubles(scores, [1, scores.length])]);
}
