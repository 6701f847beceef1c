/** Runs the definitions in an emulator, with fakes in place of functions. */
import { StateMachine } from 'aws-local-stepfunctions';
import { batchDefinition } from '../../../infra/batch-definition.ts';
import { importDefinition } from '../../../infra/import-definition.ts';
import { type Definition, ingestDefinition, trainingDefinition } from '../../../infra/state-machines.ts';

const arn = (name: string) => `arn:aws:lambda:eu-central-1:123456789012:function:${name}`;
export const training = trainingDefinition(
  {
    trainerSmall: arn('trainer-small'),
    trainerMedium: arn('trainer-medium'),
    trainerLarge: arn('trainer-large'),
    registrar: arn('registrar'),
    closeJob: arn('close-job'),
  },
  35,
);
export const ingest = ingestDefinition({ ingest: arn('ingest'), closeJob: arn('close-job') }, 15);
export const batch = batchDefinition(
  { batch: arn('batch'), registrar: arn('registrar'), closeJob: arn('close-job') },
  65,
);
export const importing = importDefinition({
  import: arn('import'),
  registrar: arn('registrar'),
  closeJob: arn('close-job'),
});
export const trainingInput = { job_id: 'job-1', deadline: '2030-01-01T00:30:00.000Z', timeout_seconds: 1800 };

export interface Call {
  readonly state: string;
  readonly function: string;
  // biome-ignore lint/suspicious/noExplicitAny: payloads differ by step
  readonly payload: any;
}

/** What a fake function answers; an Error makes the task fail under the error's name. */
export type Answer = (payload: Call['payload'], attempt: number) => unknown;

export interface Outcome {
  readonly calls: Call[];
  readonly error?: { name: string; message: string };
}

export class StepError extends Error {
  constructor(name: string) {
    super(`${name} happened`);
    this.name = name;
  }
}

/** Runs a definition with fakes in place of functions and no pauses between retries. */
export async function run(
  definition: Definition,
  answers: Record<string, Answer>,
  input: Record<string, unknown> = trainingInput,
): Promise<Outcome> {
  const calls: Call[] = [];
  const tasks = tasksOf(definition.States);
  const handlers = Object.fromEntries(
    tasks.map(([state]) => [
      state,
      async (request: { FunctionName: string; Payload: unknown }) => {
        const attempt = calls.filter((call) => call.state === state).length;
        calls.push({ state, function: request.FunctionName.split(':').at(-1)!, payload: request.Payload });
        const answer = answers[state]?.(request.Payload, attempt) ?? {};
        if (answer instanceof Error) throw answer;
        return { StatusCode: 200, ExecutedVersion: '$LATEST', Payload: answer };
      },
    ]),
  );
  const retries = Object.fromEntries(tasks.map(([state]) => [state, 0]));
  const machine = new StateMachine(forEmulator(definition) as never);
  const execution = machine.run(input as never, {
    overrides: { taskResourceLocalHandlers: handlers as never, retryIntervalOverrides: retries },
  });
  try {
    await execution.result;
    return { calls };
  } catch (error) {
    // The emulator wraps what the execution failed with.
    const { name, message } = (error as Error).cause as Error;
    return { calls, error: { name, message } };
  }
}

/** AWS reads TimeoutSecondsPath from the state's input; the emulator reads it from what Parameters made of that. */
function forEmulator(definition: Definition): unknown {
  const path = JSON.stringify('$$.Execution.Input.timeout_seconds');
  return JSON.parse(JSON.stringify(definition).replaceAll('"$.timeout_seconds"', () => path));
}

/** Those inside a Map, too. */
export function tasksOf(all: Definition['States']): [string, Definition['States'][string]][] {
  return Object.entries(all).flatMap(([name, state]) => {
    const inner = state.ItemProcessor as Pick<Definition, 'States'> | undefined;
    if (inner !== undefined) return tasksOf(inner.States);
    return state.Type === 'Task' ? [[name, state]] : [];
  });
}

export const states = ({ calls }: Outcome) => calls.map(({ state }) => state);
