/** Linear models: impute, center and multiply the numbers, look up a row of weights per category, add. All in double. */
import type { LinearPipelineModel } from '../linear/linear-pipeline.ts';
import type { CategoryEncoding, NumericEncoding } from '../preprocessing/design-encoding.ts';
import { type ExpandedInput, expandInputs } from './expanded-inputs.ts';
import {
  categoryToFloat,
  categoryToInt64,
  concatenated,
  constantScores,
  type FeatureInput,
} from './feature-inputs.ts';
import { attribute, type GraphBuilder } from './graph-builder.ts';
import { ElementType } from './onnx-versions.ts';

/** Weights of a design column for every score. */
type WeightsOf = (column: number) => number[];

type CategoryInput = Extract<ExpandedInput, { kind: 'category' }>;

/** double [N, nScores]. */
export function linearScores(
  graph: GraphBuilder,
  model: LinearPipelineModel,
  inputs: readonly FeatureInput[],
): string {
  const { nScores, weights, intercepts } = model.linear;
  const nColumns = weights.length / nScores;
  const weightsOf: WeightsOf = (column) =>
    Array.from({ length: nScores }, (_, score) => weights[score * nColumns + column]!);
  const { numeric, category } = model.encoding;
  const columns = expandInputs(graph, inputs, model.expansion);
  const terms = [
    ...(numeric.length > 0 ? numericTerms(graph, model, columns, weightsOf) : []),
    ...(category.length > 0 ? [categoryTerm(graph, model, columns, weightsOf)] : []),
  ];
  if (terms.length === 0) return constantScores(graph, inputs[0]!.input, Array.from(intercepts));
  return terms.reduce((sum, term) => graph.node('Add', [sum, term]), graph.doubles(intercepts, [1, nScores]));
}

/** One term of the scaled values and one of the missing indicators, where there are any. */
function numericTerms(
  graph: GraphBuilder,
  model: LinearPipelineModel,
  columns: readonly ExpandedInput[],
  weightsOf: WeightsOf,
): string[] {
  const { numeric } = model.encoding;
  const { nScores } = model.linear;
  const nFeatures = numeric.length;
  const floats = concatenated(
    graph,
    numeric.map((encoding) => numberOf(graph, model, encoding, columns[encoding.column]!)),
  );
  const isMissing = graph.node('IsNaN', [floats]);
  const values = graph.node('Cast', [floats], { attributes: [attribute.int('to', ElementType.double)] });
  const zeros = new Array<number>(nScores).fill(0);
  let column = 0;
  // Per unit of the feature: a division of its own would be fused into the product, as a float32 factor that is
  // infinite for tiny units.
  const valueWeights = numeric.flatMap(({ scale }) =>
    scale > 0 ? weightsOf(column++).map((weight) => weight / scale) : zeros,
  );
  const indicatorWeights = numeric.flatMap(({ hasIndicator }) =>
    hasIndicator ? weightsOf(column++) : zeros,
  );
  const replacements = graph.doubles(
    numeric.map(({ replacement }) => replacement),
    [1, nFeatures],
  );
  const imputed = graph.node('Where', [isMissing, replacements, values]);
  const centered = graph.node('Sub', [
    imputed,
    graph.doubles(
      numeric.map(({ center }) => center),
      [1, nFeatures],
    ),
  ]);
  const terms = [graph.node('MatMul', [centered, graph.doubles(valueWeights, [nFeatures, nScores])])];
  if (numeric.some(({ hasIndicator }) => hasIndicator)) {
    const indicators = graph.node('Cast', [isMissing], {
      attributes: [attribute.int('to', ElementType.double)],
    });
    terms.push(graph.node('MatMul', [indicators, graph.doubles(indicatorWeights, [nFeatures, nScores])]));
  }
  return terms;
}

/** float32 [N, 1]. */
function numberOf(
  graph: GraphBuilder,
  model: LinearPipelineModel,
  { numbers }: NumericEncoding,
  column: ExpandedInput,
): string {
  if (column.kind === 'numeric') return column.tensor();
  const { ofCategory, ofMissing, ofUnknown } = numbers!;
  const keys = [...model.features[column.source]!.categories!, ''];
  const values = [...ofCategory, ofMissing].map((value) => value ?? Number.NaN);
  return categoryToFloat(graph, column.input, keys, values, ofUnknown ?? Number.NaN);
}

/** One table of weights for the levels of all category features; each feature looks up its row. */
function categoryTerm(
  graph: GraphBuilder,
  model: LinearPipelineModel,
  columns: readonly ExpandedInput[],
  weightsOf: WeightsOf,
): string {
  const { numeric, category } = model.encoding;
  const { nScores } = model.linear;
  let column = numeric.reduce((sum, one) => sum + (one.scale > 0 ? 1 : 0) + (one.hasIndicator ? 1 : 0), 0);
  // Row 0 is that of no level.
  const table: number[] = new Array<number>(nScores).fill(0);
  const rows = category.map((encoding) => {
    const firstRow = table.length / nScores;
    for (let level = 0; level < encoding.levels.nLevels; level++) table.push(...weightsOf(column++));
    return rowsOf(graph, model, encoding, columns[encoding.column] as CategoryInput, firstRow);
  });
  const weights = graph.node('Gather', [
    graph.doubles(table, [table.length / nScores, nScores]),
    concatenated(graph, rows),
  ]);
  return graph.node('ReduceSum', [weights, graph.int64s([1n], [1])], {
    attributes: [attribute.int('keepdims', 0)],
  });
}

function rowsOf(
  graph: GraphBuilder,
  model: LinearPipelineModel,
  { levels }: CategoryEncoding,
  { source, input }: CategoryInput,
  firstRow: number,
): string {
  const rowOf = (level: number) => (level < 0 ? 0 : firstRow + level);
  const keys = [...model.features[source]!.categories!, ''];
  const rows = [...levels.levelOfCategory, levels.levelOfMissing].map(rowOf);
  return categoryToInt64(graph, input, keys, rows, rowOf(levels.levelOfUnknown));
}
