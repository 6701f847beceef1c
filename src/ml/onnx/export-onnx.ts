import { ModelSaveError } from '../../errors.ts';
import { BaselinePipelineModel } from '../baseline/baseline-pipeline.ts';
import { ForestPipelineModel } from '../ensemble/forest-pipeline.ts';
import { LinearPipelineModel } from '../linear/linear-pipeline.ts';
import type { PipelineModel } from '../pipeline-model.ts';
import { BoostingPipelineModel } from '../tree/boosting-pipeline.ts';
import { boostingScores } from './export-boosting.ts';
import { forestOutputs } from './export-forest.ts';
import { linearScores } from './export-linear.ts';
import { constantScores, declareFeatureInputs, type FeatureInput } from './feature-inputs.ts';
import { GraphBuilder } from './graph-builder.ts';
import { outputNames, writeOutputs, writeProbabilities, writeValue } from './outputs.ts';

/**
 * The model with its preprocessing as one ONNX file: opset ai.onnx 17 and ai.onnx.ml 3, IR version 8.
 *
 * Inputs, each of shape [N, 1] and named as the feature: number and boolean float32 (missing is NaN), date int64
 * epoch ms (missing is the int64 minimum), category string (missing is empty). Where an output has the name of a
 * feature, the input is numbered; `metadata_props.features` says which input belongs to which feature.
 * Outputs: `prediction` float32 [N, 1], or `label` [N] (int64 for whole numbers and booleans, else string) and
 * `probabilities` float32 [N, nClasses] ordered as `metadata_props.classes`.
 */
export function exportOnnx(model: PipelineModel): Uint8Array {
  const graph = new GraphBuilder(outputNames(model));
  const inputs = declareFeatureInputs(graph, model.features);
  if (model instanceof ForestPipelineModel) {
    const outputs = forestOutputs(graph, model, inputs);
    if (model.classes === undefined) writeValue(graph, outputs);
    else writeProbabilities(graph, model.classes, outputs);
  } else {
    writeOutputs(graph, model, scoresOf(graph, model, inputs));
  }
  return graph.build(model.algorithm, {
    task: model.task,
    algorithm: model.algorithm,
    target: model.target,
    ...(model.classes === undefined ? {} : { classes: JSON.stringify(model.classes) }),
    features: JSON.stringify(inputs),
  });
}

/** The inputs of the exported graph, in the order of the features. */
export function onnxInputs(model: PipelineModel): FeatureInput[] {
  return declareFeatureInputs(new GraphBuilder(outputNames(model)), model.features);
}

function scoresOf(graph: GraphBuilder, model: PipelineModel, inputs: readonly FeatureInput[]): string {
  if (model instanceof BoostingPipelineModel) return boostingScores(graph, model, inputs);
  if (model instanceof LinearPipelineModel) return linearScores(graph, model, inputs);
  if (model instanceof BaselinePipelineModel) return constantScores(graph, inputs[0]!.input, model.scores);
  throw new ModelSaveError(`a model of algorithm "${model.algorithm}" has no ONNX export`);
}
