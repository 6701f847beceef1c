/** The trees of a model, with their encoding, as LabelEncoder, Concat and one TreeEnsembleRegressor. */
import type { FeatureSpec } from '../pipeline-model.ts';
import { nCodesOf } from '../tree/category-codes.ts';
import { nTreesOf, type TreeEnsemble } from '../tree/tree.ts';
import type { TreeEncoding } from '../tree/tree-columns.ts';
import { type ExpandedInput, expandInputs } from './expanded-inputs.ts';
import { categoryToFloat, concatenated, constantScores, type FeatureInput } from './feature-inputs.ts';
import { attribute, type GraphBuilder } from './graph-builder.ts';
import { ElementType } from './onnx-versions.ts';
import { ensembleAttributes } from './tree-ensemble.ts';

export interface ExportedTrees {
  readonly features: readonly FeatureSpec[];
  readonly encoding: TreeEncoding;
  readonly trees: TreeEnsemble;
  readonly baseValues: Float32Array;
}

/**
 * double [N, nScores].
 * Values are float32, compared as double: thresholds are float32 too, so every row takes the side that it takes in
 * memory. Double makes the runtime add up leaf values without rounding after each of hundreds of trees.
 */
export function treeScores(
  graph: GraphBuilder,
  model: ExportedTrees,
  inputs: readonly FeatureInput[],
): string {
  const { encoding, trees, baseValues } = model;
  const used = usedColumns(trees);
  if (used.length === 0) return constantScores(graph, inputs[0]!.input, constantsOf(model));
  const expanded = expandInputs(graph, inputs, encoding.expansion);
  const columns = used.map((column) => columnOf(graph, model, expanded[column]!, column));
  const matrix = graph.node('Cast', [concatenated(graph, columns)], {
    attributes: [attribute.int('to', ElementType.double)],
  });
  const position = new Map(used.map((column, i) => [column, i]));
  const nCodes = new Map(encoding.categories.map((codes) => [codes.column, nCodesOf(codes)]));
  const scores = graph.node('TreeEnsembleRegressor', [matrix], {
    domain: 'ai.onnx.ml',
    attributes: ensembleAttributes(
      trees,
      baseValues,
      (column) => position.get(column)!,
      (column) => nCodes.get(column)!,
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
  { features, encoding }: ExportedTrees,
  input: ExpandedInput,
  column: number,
): string {
  if (input.kind === 'numeric') return input.tensor();
  const { codeOfCategory } = encoding.categories.find((one) => one.column === column)!;
  const kept = features[input.source]!.categories!.filter((_, category) => codeOfCategory[category] !== null);
  const codes = codeOfCategory.filter((code) => code !== null);
  return categoryToFloat(graph, input.input, kept, codes);
}

/** What trees without a split add up to. */
function constantsOf({ trees, baseValues }: ExportedTrees): number[] {
  const sums = Array.from(baseValues);
  for (let tree = 0; tree < nTreesOf(trees); tree++) {
    const root = trees.roots[tree]! * trees.width;
    if (trees.width === 1) sums[tree % sums.length]! += trees.value[root]!;
    else for (let k = 0; k < trees.width; k++) sums[k]! += trees.value[root + k]!;
  }
  return sums;
}
