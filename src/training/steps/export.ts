import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { isoAt } from '../../clock.ts';
import type { ModelManifest } from '../../contracts/models.ts';
import type { Algorithm } from '../../contracts/training.ts';
import { TrainingError } from '../../errors.ts';
import { resolveHyperparameters } from '../../ml/algorithms.ts';
import { exportOnnx, onnxInputs } from '../../ml/onnx/export-onnx.ts';
import type { PipelineModel } from '../../ml/pipeline.ts';
import { type Table, takeRows } from '../../ml/table.ts';
import { batchOfTable } from '../../serving/feature-batch.ts';
import { TypeScriptExecutor } from '../../serving/graph/typescript-executor.ts';
import type { LoadedModel, ModelExecutor } from '../../serving/model-executor.ts';
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

const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

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
  const json = Buffer.from(JSON.stringify(model));
  const explainer = await promisify(gzip)(json);
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
      sha256: sha256Of(graph),
      bytes: graph.byteLength,
    },
    explainer: { sha256: sha256Of(explainer), bytes: explainer.byteLength, json_bytes: json.byteLength },
    verification,
    job_id: job.job_id,
    ...(request.notes === undefined ? {} : { notes: request.notes }),
    software: softwareVersions(),
    created_at: isoAt(clock.nowMs()),
  };
  const stored = await artifacts.put(tenant, manifest, graph, explainer);
  return { ...state, build_id: manifest.build_id, manifest_sha256: stored.manifestSha256 };
};

/**
 * Holds the graph against the model in both executors: the artifact runs anywhere that onnxruntime does, and here in
 * TypeScript where that can run it.
 * @param executor - of any graph
 * @throws {TrainingError} ONNX_PARITY_FAILED with the largest difference
 */
export async function verifyParity(
  model: PipelineModel,
  graph: Uint8Array,
  rows: Table,
  executor: ModelExecutor,
): Promise<ModelManifest['verification']> {
  const expected = model.predict(rows);
  const reference = expected.probabilities ?? expected.values!;
  const batch = batchOfTable(onnxInputs(model), rows);
  const own = new TypeScriptExecutor().compile(graph);
  const serves = 'unsupported' in own ? undefined : own;
  let [maxAbsolute, maxRelative] = [0, 0];
  for (const loaded of [await executor.load(graph), ...(serves === undefined ? [] : [serves])]) {
    try {
      const output = await loaded.run(batch);
      const errors = errorsOf(reference, output.probabilities ?? output.values!, loaded.executor);
      maxAbsolute = Math.max(maxAbsolute, errors.absolute);
      maxRelative = Math.max(maxRelative, errors.relative);
    } finally {
      await loaded.release();
    }
  }
  return {
    n_rows: rows.nRows,
    max_absolute_error: maxAbsolute,
    max_relative_error: maxRelative,
    executor: serves === undefined ? 'onnxruntime' : 'typescript',
  };
}

function errorsOf(
  expected: Float64Array,
  actual: Float32Array,
  executor: LoadedModel['executor'],
): { absolute: number; relative: number } {
  let [absolute, relative, worst] = [0, 0, 0];
  for (let i = 0; i < expected.length; i++) {
    const size = Math.abs(expected[i]!);
    const difference = Math.abs(expected[i]! - actual[i]!);
    if (!(difference <= absoluteTolerance + relativeTolerance * size))
      worst = Math.max(worst, difference || Number.NaN);
    absolute = Math.max(absolute, difference);
    if (size > absoluteTolerance) relative = Math.max(relative, difference / size);
  }
  if (worst !== 0 || expected.length !== actual.length) {
    throw new TrainingError(
      'ONNX_PARITY_FAILED',
      `the ONNX graph, run by ${executor}, differs from the model by ${worst}; it must stay within ${absoluteTolerance} + ${relativeTolerance} × value`,
    );
  }
  return { absolute, relative };
}
