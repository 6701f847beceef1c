import { SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import type { Executions, RunInput } from '../../training/executions.ts';

const errorNamed = (error: unknown, name: string): boolean =>
  (error as { name?: string } | undefined)?.name === name;

/** Runs of one state machine. */
export class StepFunctionsExecutions implements Executions {
  readonly #client = new SFNClient({ maxAttempts: 4 });
  readonly #stateMachineArn: string;

  constructor(stateMachineArn: string) {
    this.#stateMachineArn = stateMachineArn;
  }

  async start(jobId: string, input: RunInput): Promise<void> {
    try {
      await this.#client.send(
        new StartExecutionCommand({
          stateMachineArn: this.#stateMachineArn,
          name: jobId,
          input: JSON.stringify(input),
        }),
      );
    } catch (error) {
      if (!errorNamed(error, 'ExecutionAlreadyExists')) throw error;
    }
  }

  async stop(jobId: string): Promise<void> {
    const executionArn = `${this.#stateMachineArn.replace(':stateMachine:', ':execution:')}:${jobId}`;
    try {
      await this.#client.send(new StopExecutionCommand({ executionArn, cause: 'the job was cancelled' }));
    } catch (error) {
      if (!errorNamed(error, 'ExecutionDoesNotExist')) throw error;
    }
  }
}
