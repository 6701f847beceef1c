/** Models back from JSON, without what fits them. */
import { ModelLoadError } from '../errors.ts';
import { baselinePipelineFromJSON } from './baseline/baseline-pipeline.ts';
import { forestPipelineFromJSON } from './ensemble/forest-pipeline.ts';
import { linearPipelineFromJSON } from './linear/linear-pipeline.ts';
import type { PipelineModel } from './pipeline-model.ts';
import { boostingPipelineFromJSON } from './tree/boosting-pipeline.ts';

/**
 * The model that `toJSON` was called on, equal in every prediction.
 * @throws {ModelLoadError} when the JSON is of no known format
 */
export function pipelineFromJSON(json: unknown): PipelineModel {
  const format = (json as { format?: unknown } | null | undefined)?.format;
  if (format === 'linear-pipeline-2') return linearPipelineFromJSON(json);
  if (format === 'boosting-pipeline-3') return boostingPipelineFromJSON(json);
  if (format === 'forest-pipeline-1') return forestPipelineFromJSON(json);
  if (format === 'baseline-pipeline-1') return baselinePipelineFromJSON(json);
  throw new ModelLoadError(
    `model format ${JSON.stringify(format)} is not known; expected linear-pipeline-2, boosting-pipeline-3, forest-pipeline-1 or baseline-pipeline-1`,
  );
}
