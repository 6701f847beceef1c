/**
 * The state machines of training and ingest, and what all machines are made of, in Amazon States Language with JSONPath, as plain objects: what is here is what AWS and the
 * local twin run. States pass references and small facts only; `$.state.value` is the last step's answer.
 */

/** ARNs of the functions that the training machine calls. */
export interface TrainingFunctions {
  readonly trainerSmall: string;
  readonly trainerMedium: string;
  readonly trainerLarge: string;
  readonly registrar: string;
  readonly closeJob: string;
}

/** ARNs of the functions that the ingest machine calls. */
export interface IngestFunctions {
  readonly ingest: string;
  readonly closeJob: string;
}

/** A state machine definition. */
export interface Definition {
  readonly Comment: string;
  readonly StartAt: string;
  readonly TimeoutSeconds: number;
  readonly States: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export const LAMBDA_INVOKE = 'arn:aws:states:::lambda:invoke';
const FAILED = 'Failed';

export const RETRY_SERVICE = {
  ErrorEquals: [
    'Lambda.ServiceException',
    'Lambda.AWSLambdaException',
    'Lambda.SdkClientException',
    'Lambda.TooManyRequestsException',
    // STS has a quota for the account.
    'TENANT_SESSION_UNAVAILABLE',
  ],
  IntervalSeconds: 2,
  BackoffRate: 2,
  MaxAttempts: 3,
  JitterStrategy: 'FULL',
};

/** A paused Aurora resumes in about 15 s. */
const RETRY_DATABASE_RESUMING = {
  ErrorEquals: ['DATABASE_RESUMING'],
  IntervalSeconds: 5,
  BackoffRate: 2,
  MaxDelaySeconds: 60,
  MaxAttempts: 6,
};

/** A little more than the function's own limit, so that a timeout is reported by the function. */
const REGISTRAR_TIMEOUT_SECONDS = 70;
const CLOSE_JOB_TIMEOUT_SECONDS = 40;
const INGEST_TIMEOUT_SECONDS = 910;

export const CATCH_ALL = [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: FAILED }];

interface StepOptions {
  readonly next: string;
  /** The first step of a machine has no answer before it. @default true */
  readonly takesInput?: boolean;
}

export function step(name: string, target: Record<string, string>, options: StepOptions) {
  return { ...bareStep(name, target, options), Catch: CATCH_ALL };
}

/** Without a way out for errors: inside a Map, which has its own for all of its iterations. */
export function bareStep(
  name: string,
  target: Record<string, string>,
  { next, takesInput = true }: StepOptions,
) {
  return {
    Type: 'Task',
    Resource: LAMBDA_INVOKE,
    Parameters: {
      ...target,
      Payload: {
        step: name,
        'job_id.$': '$.job_id',
        'deadline.$': '$.deadline',
        ...(takesInput ? { 'input.$': '$.state.value' } : { input: {} }),
      },
    },
    ResultSelector: { 'value.$': '$.Payload' },
    ResultPath: '$.state',
    Retry: [RETRY_SERVICE],
    Next: next,
  };
}

/** The job's own time limit. */
const TRAINER_TIMEOUT = { TimeoutSecondsPath: '$.timeout_seconds' };

/** A step of the trainer, bounded by the job's own time limit. */
function trainerStep(name: string, target: Record<string, string>, options: StepOptions) {
  return { ...step(name, target, options), ...TRAINER_TIMEOUT };
}

/** How Lambda and its runtime name a process that ended without an answer. */
export const CRASHES = ['Lambda.Unknown', 'Runtime.ExitError', 'Runtime.OutOfMemory', 'Sandbox.Timedout'];

/** Trainers that evaluate candidates of one job at a time; an account begins with 10 to 1,000 of all its functions. */
const CANDIDATES_AT_ONCE = 4;

/**
 * One evaluation per candidate, each in as many slices as it takes. Items are numbers in the plan, and what comes back
 * are references, so that a hundred candidates stay far below what a state may hold.
 */
function evaluateCandidates(worker: Record<string, string>, next: string) {
  return {
    Type: 'Map',
    ItemsPath: '$.state.value.candidates',
    MaxConcurrency: CANDIDATES_AT_ONCE,
    ItemSelector: {
      'job_id.$': '$.job_id',
      'deadline.$': '$.deadline',
      'timeout_seconds.$': '$.timeout_seconds',
      'worker.$': '$.worker',
      state: {
        value: {
          'split.$': '$.state.value.split',
          'plan.$': '$.state.value.plan',
          'candidate.$': '$$.Map.Item.Value',
        },
      },
    },
    ItemProcessor: {
      ProcessorConfig: { Mode: 'INLINE' },
      StartAt: 'EvaluateCandidate',
      States: {
        EvaluateCandidate: {
          ...bareStep('evaluate-candidate', worker, { next: 'CandidateDone' }),
          ...TRAINER_TIMEOUT,
          // One that needs more memory than there is must not end the race of the others.
          Catch: [{ ErrorEquals: CRASHES, ResultPath: '$.error', Next: 'CandidateCrashed' }],
        },
        CandidateCrashed: {
          Type: 'Pass',
          Parameters: { 'candidate.$': '$.state.value.candidate', 'crash.$': '$.error.Error' },
          End: true,
        },
        CandidateDone: {
          Type: 'Choice',
          Choices: [
            { Variable: '$.state.value.candidate_done', BooleanEquals: false, Next: 'EvaluateCandidate' },
          ],
          Default: 'CandidateMeasured',
        },
        CandidateMeasured: {
          Type: 'Pass',
          Parameters: {
            'candidate.$': '$.state.value.candidate',
            'result.$': '$.state.value.result',
          },
          End: true,
        },
      },
    },
    ResultPath: '$.state.value.results',
    Catch: CATCH_ALL,
    Next: next,
  };
}

/** A step that talks to Postgres. */
export function registrarStep(name: string, registrar: string, options: StepOptions) {
  return {
    ...step(name, { FunctionName: registrar }, options),
    TimeoutSeconds: REGISTRAR_TIMEOUT_SECONDS,
    Retry: [RETRY_SERVICE, RETRY_DATABASE_RESUMING],
  };
}

/** How all machines end: the job is closed, then the execution says what happened. */
export function closingStates(closeJob: string, complete: Record<string, unknown>) {
  return {
    Complete: { ...complete, TimeoutSeconds: CLOSE_JOB_TIMEOUT_SECONDS },
    Succeeded: { Type: 'Succeed' },
    [FAILED]: {
      Type: 'Task',
      Resource: LAMBDA_INVOKE,
      Parameters: {
        FunctionName: closeJob,
        Payload: { step: 'fail', 'job_id.$': '$.job_id', 'error.$': '$.error' },
      },
      ResultPath: null,
      TimeoutSeconds: CLOSE_JOB_TIMEOUT_SECONDS,
      Retry: [RETRY_SERVICE],
      // Whatever happens to the closing itself, the execution ends as failed and the status rule closes the job.
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.close_error', Next: 'JobFailed' }],
      Next: 'JobFailed',
    },
    JobFailed: { Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' },
  };
}

/** Load, choose a size, validate, split, choose between candidates if there are any, fit in slices, evaluate, export, register, promote or keep. */
export function trainingDefinition(functions: TrainingFunctions, timeoutMinutes: number): Definition {
  const worker = { 'FunctionName.$': '$.worker' };
  const use = (arn: string) => ({ Type: 'Pass', Result: arn, ResultPath: '$.worker', Next: 'Validate' });
  return {
    Comment:
      'TenantML training: one job from a dataset version to a registered, perhaps deployed, model version',
    StartAt: 'Load',
    TimeoutSeconds: timeoutMinutes * 60,
    States: {
      Load: trainerStep(
        'load',
        { FunctionName: functions.trainerSmall },
        { next: 'ChooseSize', takesInput: false },
      ),
      ChooseSize: {
        Type: 'Choice',
        Choices: [
          { Variable: '$.state.value.size', StringEquals: 'small', Next: 'UseSmall' },
          { Variable: '$.state.value.size', StringEquals: 'medium', Next: 'UseMedium' },
        ],
        // Data larger than the largest trainer has already failed in Load, with the figures.
        Default: 'UseLarge',
      },
      UseSmall: use(functions.trainerSmall),
      UseMedium: use(functions.trainerMedium),
      UseLarge: use(functions.trainerLarge),
      Validate: trainerStep('validate', worker, { next: 'Split' }),
      Split: trainerStep('split', worker, { next: 'Selects' }),
      Selects: {
        Type: 'Choice',
        Choices: [{ Variable: '$.state.value.selects', BooleanEquals: true, Next: 'Plan' }],
        Default: 'Fit',
      },
      Plan: trainerStep('plan', worker, { next: 'EvaluateCandidates' }),
      EvaluateCandidates: evaluateCandidates(worker, 'Choose'),
      Choose: trainerStep('choose', worker, { next: 'Selected' }),
      Selected: {
        Type: 'Choice',
        // Those that were the best on few rows go on to more.
        Choices: [{ Variable: '$.state.value.selected', BooleanEquals: false, Next: 'EvaluateCandidates' }],
        Default: 'Fit',
      },
      Fit: trainerStep('fit', worker, { next: 'FitDone' }),
      FitDone: {
        Type: 'Choice',
        Choices: [{ Variable: '$.state.value.fit_done', BooleanEquals: false, Next: 'Fit' }],
        Default: 'Evaluate',
      },
      Evaluate: trainerStep('evaluate', worker, { next: 'Export' }),
      Export: trainerStep('export', worker, { next: 'Register' }),
      Register: registrarStep('register', functions.registrar, { next: 'PromotionGate' }),
      PromotionGate: registrarStep('promotion-gate', functions.registrar, { next: 'Decision' }),
      Decision: {
        Type: 'Choice',
        Choices: [{ Variable: '$.state.value.decision', StringEquals: 'deploy', Next: 'Deploy' }],
        Default: 'Keep',
      },
      Deploy: registrarStep('deploy', functions.registrar, { next: 'Complete' }),
      Keep: { Type: 'Pass', Comment: 'The champion keeps serving', Next: 'Complete' },
      ...closingStates(
        functions.closeJob,
        step('complete', { FunctionName: functions.closeJob }, { next: 'Succeeded' }),
      ),
    },
  };
}

/** Reads an upload into an immutable dataset version. */
export function ingestDefinition(functions: IngestFunctions, timeoutMinutes: number): Definition {
  const answer = { ResultSelector: { 'value.$': '$.Payload' }, ResultPath: '$.state' };
  return {
    Comment: 'TenantML ingest: one upload to a dataset version',
    StartAt: 'Ingest',
    TimeoutSeconds: timeoutMinutes * 60,
    States: {
      Ingest: {
        Type: 'Task',
        Resource: LAMBDA_INVOKE,
        Parameters: { FunctionName: functions.ingest, Payload: { 'job_id.$': '$.job_id' } },
        ...answer,
        TimeoutSeconds: INGEST_TIMEOUT_SECONDS,
        Retry: [RETRY_SERVICE],
        Catch: CATCH_ALL,
        Next: 'Complete',
      },
      ...closingStates(functions.closeJob, {
        Type: 'Task',
        Resource: LAMBDA_INVOKE,
        Parameters: {
          FunctionName: functions.closeJob,
          Payload: { step: 'complete', 'job_id.$': '$.job_id', 'input.$': '$.state.value' },
        },
        ...answer,
        Retry: [RETRY_SERVICE],
        Catch: CATCH_ALL,
        Next: 'Succeeded',
      }),
    },
  };
}
