import { busEvent } from '../events/event-bus-server.ts';
import type { BusEvent } from '../events/event-pattern.ts';
import type { Execution } from './execution-store.ts';

/** What Step Functions sends to the default bus when an execution starts or ends. */
export function statusChangeEvent(execution: Execution): BusEvent {
  return busEvent(
    'aws.states',
    'Step Functions Execution Status Change',
    {
      executionArn: execution.arn,
      stateMachineArn: execution.machineArn,
      name: execution.name,
      status: execution.status,
      startDate: execution.startMs,
      stopDate: execution.stopMs ?? null,
      input: execution.input,
      inputDetails: { included: true },
      output: execution.output ?? null,
      outputDetails: execution.output === undefined ? null : { included: true },
      error: execution.error ?? null,
      cause: execution.cause ?? null,
      stateMachineVersionArn: null,
      stateMachineAliasArn: null,
      redriveCount: 0,
      redriveDate: null,
      redriveStatus: 'NOT_REDRIVABLE',
    },
    [execution.arn],
  );
}
