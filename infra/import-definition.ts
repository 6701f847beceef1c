import { importTimeoutMinutes } from '../src/contracts/time-limits.ts';
import {
  CRASHES,
  closingStates,
  type Definition,
  RETRY_SERVICE,
  registrarStep,
  step,
} from './state-machines.ts';

/** ARNs of the functions that the import machine calls. */
export interface ImportFunctions {
  readonly import: string;
  readonly registrar: string;
  readonly closeJob: string;
}

/** A little more than the function's own limit, so that a timeout is reported by the function. */
const INSPECT_TIMEOUT_SECONDS = 130;

/** Inspect and try, register, deploy if that was asked for. */
export function importDefinition(functions: ImportFunctions): Definition {
  return {
    Comment: 'TenantML import: one ONNX file to a registered, perhaps deployed, model version',
    StartAt: 'Inspect',
    TimeoutSeconds: importTimeoutMinutes * 60,
    States: {
      Inspect: {
        ...step('inspect', { FunctionName: functions.import }, { next: 'Register', takesInput: false }),
        TimeoutSeconds: INSPECT_TIMEOUT_SECONDS,
        // Looking at a file again finds the same: one more time, for a function that died of something else.
        Retry: [RETRY_SERVICE, { ErrorEquals: CRASHES, IntervalSeconds: 1, MaxAttempts: 1 }],
      },
      Register: registrarStep('register-import', functions.registrar, { next: 'Decision' }),
      Decision: {
        Type: 'Choice',
        Choices: [{ Variable: '$.state.value.decision', StringEquals: 'deploy', Next: 'Deploy' }],
        Default: 'Complete',
      },
      Deploy: registrarStep('deploy-import', functions.registrar, { next: 'Complete' }),
      ...closingStates(
        functions.closeJob,
        step('complete', { FunctionName: functions.closeJob }, { next: 'Succeeded' }),
      ),
    },
  };
}
