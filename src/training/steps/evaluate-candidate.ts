import { evaluateCandidate } from '../../ml/model-selection/candidate.ts';
import { takeRows } from '../../ml/table.ts';
import { decodeSplit } from '../split-file.ts';
import { readJson, writeJson } from '../work-json.ts';
import { type Plan, planOf } from './plan.ts';
import { progressAt, type Step } from './step.ts';

/** As in the fit: often at first, then ever less. */
const firstLookUpMs = 1_000;

/**
 * Cross-validates one candidate of the plan. What does not end before this run has to stop leaves a checkpoint, and
 * the state machine runs the step again from there, for this candidate alone.
 */
export const evaluateCandidateStep: Step = async (context, state) => {
  const { tenant, job, jobs, clock, stopAtMs, workFiles, tableWithFoldColumns } = context;
  const plan = await planOf(context, state);
  const candidate = plan.candidates[state.candidate!]!;
  const { train } = decodeSplit(await workFiles.get(tenant, job.job_id, state.split!));
  const rows = takeRows(await tableWithFoldColumns(), train);
  const { checkpoint: ref, ...rest } = state;
  let checkpoint = ref === undefined ? undefined : await readJson<unknown>(context, ref);
  let lookUpAfterMs = firstLookUpMs;
  for (;;) {
    // A cancelled job is heard of here: then this throws.
    await jobs.progress(tenant, job.job_id, {
      step: 'evaluate-candidate',
      progress: progressOf(plan, state.candidate!),
    });
    const lookUpAtMs = Math.min(stopAtMs, clock.nowMs() + lookUpAfterMs);
    const hooks = { nowMs: () => clock.nowMs(), shouldPause: () => clock.nowMs() >= lookUpAtMs };
    const outcome = evaluateCandidate(rows, plan.race, candidate, hooks, checkpoint);
    if (outcome.done) {
      const result = await writeJson(context, 'candidate.json', outcome.result);
      return { ...rest, candidate_done: true, result };
    }
    checkpoint = outcome.checkpoint;
    if (clock.nowMs() >= stopAtMs) {
      return {
        ...rest,
        candidate_done: false,
        checkpoint: await writeJson(context, 'checkpoint.json', checkpoint),
      };
    }
    lookUpAfterMs *= 2;
  }
};

/** Candidates begin in the order of the plan. */
function progressOf({ candidates, rungs, rung }: Plan, candidate: number): number {
  const share = (rung + candidate / candidates.length) / rungs.length;
  const from = progressAt['evaluate-candidate'];
  return from + (progressAt.choose - from) * share;
}
