import type { BoostingPipelineModel } from '../tree/boosting-pipeline.ts';
import type { FeatureInput } from './feature-inputs.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { treeScores } from './tree-scores.ts';

/** double [N, nScores]; with a log link the prediction itself. */
export function boostingScores(
  graph: GraphBuilder,
  { features, encoding, boosted, link }: BoostingPipelineModel,
  inputs: readonly FeatureInput[],
): string {
  const { trees, initialScores: baseValues } = boosted;
  const scores = treeScores(graph, { features, encoding, trees, baseValues }, inputs);
  return link === 'log' ? graph.node('Exp', [scores]) : scores;
}
