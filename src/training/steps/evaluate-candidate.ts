import {
  type Candidate,
  type CandidateResult,
  evaluateCandidate,
} from '../../ml/model-selection/candidate.ts';
import { takeRows } from '../../ml/table.ts';
import { decodeSplit } from '../split-file.ts';
import { readJson, writeJson } from '../work-json.ts';
import { type Plan, planOf } from './plan.ts';
import { progressAt, type Step, type StepContext } from './step.ts';

/** As in the fit: often at first, then ever less. */
const firstLookUpMs = 1_000;

/**
 * Cross-validates one candidate of the plan. What does not end before this run has to stop leaves a checkpoint, and
 * the state machine runs the step again from there, for this candidate alone.
 */
export const evaluateCandidateStep: Step = async (context, state) => {
  const { tenant, job, jobs, clock, stopAtMs, workFiles, tableWithFoldColumns, parallel } = context;
  const plan = await planOf(context, state);
  const candidate = plan.candidates[state.candidate!]!;
  const { train } = decodeSplit(await workFiles.get(tenant, job.job_id, state.split!));
  const rows = takeRows(await tableWithFoldColumns(), train);
  const { checkpoint: ref, ...rest } = state;
  let checkpoint = ref === undefined ? undefined : await readJson<unknown>(context, ref);
  const endsAtMs = raceEndsAtMs(job);
  const pauseAtMs = Math.min(stopAtMs, endsAtMs);
  let lookUpAfterMs = firstLookUpMs;
  for (;;) {
    // A cancelled job is heard of here: then this throws.
    await jobs.progress(tenant, job.job_id, {
      step: 'evaluate-candidate',
      progress: progressOf(plan, state.candidate!),
    });
    const lookUpAtMs = Math.min(pauseAtMs, clock.nowMs() + lookUpAfterMs);
    const hooks = {
      nowMs: () => clock.nowMs(),
      shouldPause: () => clock.nowMs() >= lookUpAtMs,
      ...(parallel === undefined ? {} : { parallel }),
    };
    const outcome = evaluateCandidate(rows, plan.race, candidate, hooks, checkpoint);
    if (outcome.done) {
      const result = await writeJson(context, 'candidate.json', outcome.result);
      return { ...rest, candidate_done: true, result };
    }
    checkpoint = outcome.checkpoint;
    if (clock.nowMs() >= endsAtMs) {
      return {
        ...rest,
        candidate_done: true,
        result: await writeJson(context, 'candidate.json', late(candidate)),
      };
    }
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

/** What is left of the job's time fits, measures and registers the winner. */
const shareOfTimeForRace = 0.6;

function raceEndsAtMs({ created_at, deadline }: Pick<StepContext['job'], 'created_at' | 'deadline'>): number {
  const beginMs = Date.parse(created_at);
  return beginMs + (Date.parse(deadline) - beginMs) * shareOfTimeForRace;
}

/** The race goes on without it: the simplest candidates come first, and have been measured by then. */
const late = (candidate: Candidate): CandidateResult => ({
  status: 'failed',
  candidate,
  error: {
    code: 'NO_TIME_LEFT',
    message: `it was not measured within ${shareOfTimeForRace * 100} % of the job's time; train on fewer rows, or raise ML_TRAINING_TIMEOUT_MINUTES`,
  },
});

/** Candidates begin in the order of the plan. */
function progressOf({ candidates, rungs, rung }: Plan, candidate: number): number {
  const share = (rung + candidate / candidates.length) / rungs.length;
  const from = progressAt['evaluate-candidate'];
  return from + (progressAt.choose - from) * share;
}
