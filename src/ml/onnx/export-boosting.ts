/** Gradient boosting as LabelEncoder, Concat and one TreeEnsembleRegressor. */
import type { BoostingPipelineModel } from '../tree/boosting-pipeline.ts';
import { nCodesOf } from '../tree/category-codes.ts';
import type { BoostedTrees } from '../tree/gradient-boosting.ts';
import { nTreesOf, type TreeEnsemble } from '../tree/tree.ts';
import { type ExpandedInput, expandInputs } from './expanded-inputs.ts';
import { categoryToFloat, concatenated, constantScores, type FeatureInput } from './feature-inputs.ts';
import { attribute, ElementType, type GraphBuilder } from './graph-builder.ts';
import { ensembleAttributes } from './tree-ensemble.ts';

/**
 * double [N, nScores].
 * Values are float32, compared as double: thresholds are float32 too, so every row takes the side that it takes in
 * memory. Double makes the runtime add up leaf values without rounding after each of hundreds of trees.
 */
export function boostingScores(
  graph: GraphBuilder,
  model: BoostingPipelineModel,
  inputs: readonly FeatureInput[],
): string {
  const scores = sumsOfTrees(graph, model, inputs);
  return model.link === 'log' ? graph.node('Exp', [scores]) : scores;
}

function sumsOfTrees(
  graph: GraphBuilder,
  model: BoostingPipelineModel,
  inputs: readonly FeatureInput[],
): string {
  const used = usedColumns(model.boosted.trees);
  if (used.length === 0) return constantScores(graph, inputs[0]!.input, constantsOf(model.boosted));
  const expanded = expandInputs(graph, inputs, model.encoding.expansion);
  const columns = used.map((column) => columnOf(graph, model, expanded[column]!, column));
  const matrix = graph.node('Cast', [concatenated(graph, columns)], {
    attributes: [attribute.int('to', ElementType.double)],
  });
  const scores = graph.node('TreeEnsembleRegressor', [matrix], {
    domain: 'ai.onnx.ml',
    attributes: ensembleAttributes(
      model.boosted.trees,
      { nScores: model.boosted.nScores, baseValues: model.boosted.initialScores },
      (column) => used.indexOf(column),
      (column) => nCodesOf(model.encoding.categories.find((one) => one.column === column)!),
    ),
  });
  return graph.node('Cast', [scores], { attributes: [attribute.int('to', ElementType.double)] });
}

/** Columns that some tree tests, ascending. */
function usedColumns(trees: TreeEnsemble): number[] {
  return [...new Set(trees.feature)].filter((column) => column >= 0).sort((a, b) => a - b);
}

function columnOf(
  graph: GraphBuilder,
  model: BoostingPipelineModel,
  input: ExpandedInput,
  column: number,
): string {
  if (input.kind === 'numeric') return input.tensor();
  return categoryCodes(graph, model, input.input, input.source, column);
}

function categoryCodes(
  graph: GraphBuilder,
  model: BoostingPipelineModel,
  input: FeatureInput,
  source: number,
  column: number,
): string {
  const { codeOfCategory } = model.encoding.categories.find((one) => one.column === column)!;
  const categories = model.features[source]!.categories!;
  const kept = categories.filter((_, category) => codeOfCategory[category] !== null);
  const codes = codeOfCategory.filter((code) => code !== null);
  return categoryToFloat(graph, input, kept, codes);
}

/** What trees without a split add up to. */
function constantsOf({ nScores, initialScores, trees }: BoostedTrees): number[] {
  const sums = Array.from(initialScores);
  for (let tree = 0; tree < nTreesOf(trees); tree++)
    sums[tree % nScores]! += trees.value[trees.roots[tree]!]!;
  return sums;
}
