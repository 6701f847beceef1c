import type { ForestPipelineModel } from '../ensemble/forest-pipeline.ts';
import type { FeatureInput } from './feature-inputs.ts';
import { attribute, type GraphBuilder } from './graph-builder.ts';
import { treeScores } from './tree-scores.ts';

/** double [N, 1] of a regression, else the probabilities, double [N, nClasses]. */
export function forestOutputs(
  graph: GraphBuilder,
  { features, encoding, forest, classes }: ForestPipelineModel,
  inputs: readonly FeatureInput[],
): string {
  const { trees, base } = forest;
  const baseValues = new Float32Array(trees.width).fill(base);
  const sums = treeScores(graph, { features, encoding, trees, baseValues }, inputs);
  if (classes === undefined) return sums;
  if (trees.width === 1) {
    const second = graph.node('Clip', [sums, graph.doubles([0], []), graph.doubles([1], [])]);
    const first = graph.node('Sub', [graph.doubles([1], [1]), second]);
    return graph.node('Concat', [first, second], { attributes: [attribute.int('axis', 1)] });
  }
  const total = graph.node('ReduceSum', [sums, graph.int64s([1n], [1])]);
  return graph.node('Div', [sums, total]);
}
