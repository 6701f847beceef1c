import { fitPipeline, type PipelineSpec } from '../../ml/pipeline.ts';
import { takeRows } from '../../ml/table.ts';
import { decodeSplit } from '../split-file.ts';
import { selectionOf } from './choose.ts';
import { progressAt, type Step, type StepContext, type StepState } from './step.ts';

/** The fit looks up this often at first, then ever less: to say how far it is, and to hear of a cancellation. */
const firstLookUpMs = 1_000;

/** @returns what is to be fitted: what was chosen before, or what was asked for */
export async function specOf(context: StepContext, state: StepState): Promise<PipelineSpec> {
  const { model_type, target, random_state } = context.job.request;
  const { algorithm, hyperparameters } =
    state.selection === undefined ? context.job.request : (await selectionOf(context, state)).chosen;
  return { task: model_type!, target, algorithm, hyperparameters, randomState: random_state };
}

/**
 * Fits the model on the train part. A fit that does not end before this run has to stop leaves a checkpoint,
 * and the state machine runs the step again from there.
 */
export const fitStep: Step = async (context, state) => {
  const { tenant, job, jobs, clock, stopAtMs, workFiles, parallel } = context;
  const data = await context.table();
  const { train } = decodeSplit(await workFiles.get(tenant, job.job_id, state.split!));
  const rows = takeRows(data, train);
  const spec = await specOf(context, state);
  let checkpoint: unknown =
    state.checkpoint === undefined
      ? undefined
      : JSON.parse(Buffer.from(await workFiles.get(tenant, job.job_id, state.checkpoint)).toString('utf8'));
  let lookUpAfterMs = firstLookUpMs;
  for (;;) {
    let fraction = 0;
    const lookUpAtMs = Math.min(stopAtMs, clock.nowMs() + lookUpAfterMs);
    const result = fitPipeline(
      rows,
      spec,
      {
        onProgress: (done) => {
          fraction = done;
        },
        shouldPause: () => clock.nowMs() >= lookUpAtMs,
        ...(parallel === undefined ? {} : { parallel }),
      },
      checkpoint,
    );
    if (result.done) {
      const bytes = Buffer.from(JSON.stringify(result.model));
      const model = await workFiles.put(tenant, job.job_id, 'model.json', bytes);
      const { checkpoint: _spent, ...rest } = state;
      return { ...rest, fit_done: true, model };
    }
    checkpoint = result.checkpoint;
    const progress = progressAt.fit + (progressAt.evaluate - progressAt.fit) * fraction;
    await jobs.progress(tenant, job.job_id, { step: 'fit', progress });
    if (clock.nowMs() >= stopAtMs) {
      const ref = await workFiles.put(
        tenant,
        job.job_id,
        'checkpoint.json',
        Buffer.from(JSON.stringify(checkpoint)),
      );
      return { ...state, fit_done: false, checkpoint: ref };
    }
    lookUpAfterMs *= 2;
  }
};
