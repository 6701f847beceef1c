import {
  bareStep,
  CATCH_ALL,
  CRASHES,
  closingStates,
  type Definition,
  RETRY_SERVICE,
  registrarStep,
  step,
} from './state-machines.ts';

/** ARNs of the functions that the batch machine calls. */
export interface BatchFunctions {
  readonly batch: string;
  readonly registrar: string;
  readonly closeJob: string;
}

/** A little more than the function's own limit, so that a timeout is reported by the function. */
const BATCH_TIMEOUT = { TimeoutSeconds: 910 };

/** Parts of one job that are scored at a time; an account begins with 10 to 1,000 of all its functions. */
const PARTS_AT_ONCE = 4;

/** Every step finds out what is done already, so one whose function died may simply run again. */
const RETRY_CRASH = { ErrorEquals: CRASHES, IntervalSeconds: 1, BackoffRate: 2, MaxAttempts: 3 };
const RESUMABLE = { ...BATCH_TIMEOUT, Retry: [RETRY_SERVICE, RETRY_CRASH] };

/** One item per part, by its number; a part leaves an object in S3 and nothing in the state. */
function scoreParts(batch: { FunctionName: string }, next: string) {
  return {
    Type: 'Map',
    ItemsPath: '$.state.value.parts',
    MaxConcurrency: PARTS_AT_ONCE,
    ItemSelector: {
      'job_id.$': '$.job_id',
      'deadline.$': '$.deadline',
      state: {
        value: {
          'n_rows.$': '$.state.value.n_rows',
          'rows_per_part.$': '$.state.value.rows_per_part',
          'part.$': '$$.Map.Item.Value',
        },
      },
    },
    ItemProcessor: {
      ProcessorConfig: { Mode: 'INLINE' },
      StartAt: 'ScorePart',
      States: {
        ScorePart: { ...bareStep('score', batch, { next: 'PartScored' }), ...RESUMABLE },
        PartScored: { Type: 'Pass', Result: {}, End: true },
      },
    },
    ResultPath: null,
    Catch: CATCH_ALL,
    Next: next,
  };
}

/** Look the version up where that is not done, plan, score in parts, assemble. */
export function batchDefinition(functions: BatchFunctions, timeoutMinutes: number): Definition {
  const batch = { FunctionName: functions.batch };
  return {
    Comment: 'TenantML batch prediction: one dataset scored by one model version to one file',
    StartAt: 'Pinned',
    TimeoutSeconds: timeoutMinutes * 60,
    States: {
      Pinned: {
        Type: 'Choice',
        Comment: 'The champion is known from its serving pointer: then nobody asks Postgres',
        Choices: [{ Variable: '$.pinned', BooleanEquals: true, Next: 'Plan' }],
        Default: 'ResolveVersion',
      },
      ResolveVersion: registrarStep('resolve-version', functions.registrar, {
        next: 'Plan',
        takesInput: false,
      }),
      Plan: { ...step('plan', batch, { next: 'ScoreParts', takesInput: false }), ...RESUMABLE },
      ScoreParts: scoreParts(batch, 'Assemble'),
      Assemble: { ...step('assemble', batch, { next: 'Complete' }), ...RESUMABLE },
      ...closingStates(
        functions.closeJob,
        step('complete', { FunctionName: functions.closeJob }, { next: 'Succeeded' }),
      ),
    },
  };
}
