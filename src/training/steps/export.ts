import { createHash } from 'node:crypto';
import { isoAt } from '../../clock.ts';
import type { ModelManifest } from '../../contracts/models.ts';
import type { Algorithm } from '../../contracts/training.ts';
import { TrainingError } from '../../errors.ts';
import { resolveHyperparameters } from '../../ml/algorithms.ts';
import { exportOnnx, onnxInputs } from '../../ml/onnx/export-onnx.ts';
import type { PipelineModel } from '../../ml/pipeline.ts';
import { type Table, takeRows } from '../../ml/table.ts';
import { batchOfTable } from '../../serving/feature-batch.ts';
import type { ModelExecutor } from '../../serving/model-executor.ts';
import { softwareVersions } from '../software-versions.ts';
import { readJson } from '../work-json.ts';
import { selectionOf } from './choose.ts';
import { type Evaluation, fittedModel, testRows } from './evaluate.ts';
import { specOf } from './fit.ts';
import type { Step } from './step.ts';

/** How far a graph may be from the model in memory: float32 sums of a few hundred terms stay within it. */
const relativeTolerance = 1e-5;
const absoluteTolerance = 1e-6;
const parityRows = 1_000;

/**
 * Writes the model as ONNX and checks that the graph gives what the model gives.
 * @throws {TrainingError} ONNX_PARITY_FAILED; then nothing is written
 */
export const exportStep: Step = async (context, state) => {
  const { tenant, job, clock, artifacts, executor } = context;
  const model = await fittedModel(context, state);
  const graph = exportOnnx(model);
  const rows = await testRows(context, state);
  const sample = takeRows(
    rows,
    Int32Array.from({ length: Math.min(parityRows, rows.nRows) }, (_, i) => i),
  );
  const verification = await verifyParity(model, graph, sample, executor);
  const { metrics, baselines } = await readJson<Evaluation>(context, state.evaluation!);
  const selection = state.selection === undefined ? undefined : await selectionOf(context, state);
  const { request } = job;
  const { algorithm, hyperparameters } = await specOf(context, state);
  const manifest: ModelManifest = {
    model_name: request.model_name,
    // The job's own start, so that a repeated export writes the same build again.
    build_id: `${job.created_at.replaceAll(/[-:]|\.\d+/g, '')}-${request.dataset_id.slice(0, 8)}-${job.job_id.slice(-6).toLowerCase()}`,
    task: model.task,
    algorithm: algorithm as Algorithm,
    hyperparameters: resolveHyperparameters(algorithm, hyperparameters),
    target: request.target,
    features: onnxInputs(model),
    ...(model.classes === undefined ? {} : { classes: [...model.classes] }),
    metrics: { ...metrics },
    ...(selection === undefined
      ? {}
      : { leaderboard: selection.leaderboard, cross_validation: selection.cross_validation }),
    ...(baselines === undefined ? {} : { baselines }),
    dataset_id: request.dataset_id,
    split: {
      kind: request.split,
      test_size: request.split === 'every_5th' ? 0.2 : request.test_size,
      random_state: request.random_state,
      n_train: state.split!.n_train,
      n_test: state.split!.n_test,
    },
    artifact: {
      format: 'onnx',
      sha256: createHash('sha256').update(graph).digest('hex'),
      bytes: graph.byteLength,
    },
    verification,
    job_id: job.job_id,
    ...(request.notes === undefined ? {} : { notes: request.notes }),
    software: softwareVersions(),
    created_at: isoAt(clock.nowMs()),
  };
  const stored = await artifacts.put(tenant, manifest, graph);
  return { ...state, build_id: manifest.build_id, manifest_sha256: stored.manifestSha256 };
};

/** @throws {TrainingError} ONNX_PARITY_FAILED with the largest difference */
export async function verifyParity(
  model: PipelineModel,
  graph: Uint8Array,
  rows: Table,
  executor: ModelExecutor,
): Promise<ModelManifest['verification']> {
  const expected = model.predict(rows);
  const loaded = await executor.load(graph);
  try {
    const actual = await loaded.run(batchOfTable(onnxInputs(model), rows));
    const a = expected.probabilities ?? expected.values!;
    const b = actual.probabilities ?? actual.values!;
    let maxAbsolute = 0;
    let maxRelative = 0;
    let worst = 0;
    for (let i = 0; i < a.length; i++) {
      const difference = Math.abs(a[i]! - b[i]!);
      if (!(difference <= absoluteTolerance + relativeTolerance * Math.abs(a[i]!)))
        worst = Math.max(worst, difference || Number.NaN);
      maxAbsolute = Math.max(maxAbsolute, difference);
      if (Math.abs(a[i]!) > absoluteTolerance)
        maxRelative = Math.max(maxRelative, difference / Math.abs(a[i]!));
    }
    if (worst !== 0 || a.length !== b.length) {
      throw new TrainingError(
        'ONNX_PARITY_FAILED',
        `the ONNX graph differs from the model by ${worst}; it must stay within ${absoluteTolerance} + ${relativeTolerance} × value`,
      );
    }
    return { n_rows: rows.nRows, max_absolute_error: maxAbsolute, max_relative_error: maxRelative };
  } finally {
    await loaded.release();
  }
}
