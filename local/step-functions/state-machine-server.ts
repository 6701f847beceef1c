import { randomUUID } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import {
  ExecutionAbortedError,
  ExecutionTimeoutError,
  StateMachine,
  type StateMachineDefinition,
} from 'aws-local-stepfunctions';
import { arn } from '../aws/account.ts';
import { type ListeningServer, listen } from '../aws/http.ts';
import { type JsonOperationCall, jsonProtocolListener } from '../aws/json-protocol.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { CredentialRegistry } from '../iam/credential-registry.ts';
import { roleNameOf, roleSession } from '../iam/principal.ts';
import type { LambdaHost } from '../lambda/lambda-host.ts';
import type { DeployedResource } from '../template/deployed-template.ts';
import { describeEvent, type HistoryEvent, historyEvent } from './execution-history.ts';
import { type Execution, type ExecutionEnd, ExecutionStore } from './execution-store.ts';
import { type Definition, prepareDefinition, taskStates } from './prepare-definition.ts';
import { TaskRunner } from './task-runner.ts';

export interface StateMachineServerOptions {
  readonly directory: string;
  readonly registry: CredentialRegistry;
  /** Told of every start and end of an execution. */
  onStatusChange(execution: Execution): void;
  onFailure(error: unknown): void;
}

type Json = Parameters<StateMachine['run']>[0];
type TaskHandlers = Record<string, (input: Json) => Promise<Json>>;

interface Machine {
  readonly arn: string;
  readonly name: string;
  readonly roleArn: string;
  readonly machine: StateMachine;
  readonly handlers: TaskHandlers;
}

/** Events of one answer, as on AWS. */
const MAX_HISTORY_PAGE = 100;
const NAME = /^[A-Za-z0-9_.()'!@+=-]{1,80}$/;

/** Step Functions for the template's machines: start, describe, stop and history of executions. */
export class StateMachineServer {
  readonly #options: StateMachineServerOptions;
  readonly #store: ExecutionStore;
  readonly #machines = new Map<string, Machine>();
  readonly #aborts = new Map<string, () => void>();
  #authorizer: Authorizer | undefined;
  #listening: ListeningServer | undefined;
  #stopping = false;

  constructor(options: StateMachineServerOptions) {
    this.#options = options;
    mkdirSync(options.directory, { recursive: true });
    this.#store = new ExecutionStore(join(options.directory, 'executions.sqlite'));
  }

  async start(): Promise<string> {
    this.#listening = await listen(
      jsonProtocolListener({
        signingName: 'states',
        contentType: 'application/x-amz-json-1.0',
        registry: this.#options.registry,
        handle: (call) => this.#handle(call),
        onFailure: this.#options.onFailure,
      }),
    );
    return this.#listening.url;
  }

  deploy(machines: readonly DeployedResource[], host: LambdaHost, authorizer: Authorizer): void {
    this.#authorizer = authorizer;
    for (const resource of machines) {
      this.#machines.set(resource.physicalId, toMachine(resource, host, authorizer));
    }
  }

  /** Executions that were running when the twin was last killed have no process any more. */
  failInterrupted(): number {
    const interrupted = this.#store.running();
    for (const execution of interrupted) {
      this.#end(execution.arn, {
        status: 'FAILED',
        stopMs: Date.now(),
        error: 'States.Runtime',
        cause: 'The local twin was stopped while this execution was running.',
      });
    }
    return interrupted.length;
  }

  /** Starts an execution; the same name and input again give the same running execution. */
  startExecution(machineArn: string, input: string, name: string = randomUUID()): Execution {
    const machine = this.#machine(machineArn);
    if (!NAME.test(name)) {
      throw new AwsServiceError('InvalidName', `Invalid Name: '${name}'`);
    }
    const executionArn = arn('states', `execution:${machine.name}:${name}`);
    const known = this.#store.find(executionArn);
    if (known !== undefined) {
      if (known.status === 'RUNNING' && known.input === input) {
        return known;
      }
      throw new AwsServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
    }
    const parsed = parseJson(input);
    this.#store.insert({ arn: executionArn, machineArn, name, input, startMs: Date.now() });
    const execution = this.#store.find(executionArn) as Execution;
    this.#options.onStatusChange(execution);
    this.#run(machine, execution, parsed);
    return execution;
  }

  /** Interrupts what runs without recording an end: the next start fails it and says so. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const abort of this.#aborts.values()) abort();
    await this.#listening?.close();
    await new Promise((resolve) => setImmediate(resolve));
    this.#store.close();
  }

  #run(machine: Machine, execution: Execution, input: Json): void {
    const run = machine.machine.run(input, {
      overrides: { taskResourceLocalHandlers: machine.handlers },
      context: {
        Execution: {
          Id: execution.arn,
          Name: execution.name,
          Input: input,
          RoleArn: machine.roleArn,
          StartTime: new Date(execution.startMs).toISOString(),
        },
        StateMachine: { Id: machine.arn, Name: machine.name },
      },
    });
    this.#aborts.set(execution.arn, run.abort);
    void this.#keepHistory(execution.arn, run.eventLogs);
    run.result.then(
      (output) =>
        this.#end(execution.arn, { status: 'SUCCEEDED', stopMs: Date.now(), output: JSON.stringify(output) }),
      (error: unknown) => this.#end(execution.arn, failure(error)),
    );
  }

  /** Also empties the queue in which the interpreter keeps its events until someone reads them. */
  async #keepHistory(executionArn: string, events: AsyncIterable<unknown>): Promise<void> {
    for await (const event of events) {
      const told = historyEvent(event);
      if (told !== undefined && !this.#stopping) this.#store.tell(executionArn, told);
    }
  }

  #end(executionArn: string, end: ExecutionEnd): void {
    this.#aborts.delete(executionArn);
    if (this.#stopping) {
      return;
    }
    const ended = this.#store.end(executionArn, end);
    if (ended !== undefined) {
      this.#options.onStatusChange(ended);
    }
  }

  async #handle(call: JsonOperationCall): Promise<object> {
    const authorizer = this.#authorizer;
    if (authorizer === undefined) {
      throw new AwsServiceError('ServiceUnavailable', 'the twin is still starting', 503);
    }
    const { input } = call;
    const allow = (resource: unknown) =>
      authorizer.require({
        principal: call.principal,
        action: `states:${call.operation}`,
        resource: String(resource),
      });
    switch (call.operation) {
      case 'StartExecution': {
        await allow(input.stateMachineArn);
        const execution = this.startExecution(
          String(input.stateMachineArn),
          (input.input as string | undefined) ?? '{}',
          input.name as string | undefined,
        );
        return { executionArn: execution.arn, startDate: execution.startMs / 1000 };
      }
      case 'DescribeStateMachine':
        await allow(input.stateMachineArn);
        return this.#describeMachine(String(input.stateMachineArn));
      case 'DescribeExecution':
        await allow(input.executionArn);
        return describe(this.#find(String(input.executionArn)));
      case 'GetExecutionHistory': {
        await allow(input.executionArn);
        return history(
          this.#store.history(this.#find(String(input.executionArn)).arn).map(describeOne),
          input,
        );
      }
      case 'StopExecution': {
        await allow(input.executionArn);
        const execution = this.#find(String(input.executionArn));
        const stopMs = Date.now();
        const abort = this.#aborts.get(execution.arn);
        this.#end(execution.arn, {
          status: 'ABORTED',
          stopMs,
          ...(input.error === undefined ? {} : { error: String(input.error) }),
          ...(input.cause === undefined ? {} : { cause: String(input.cause) }),
        });
        abort?.();
        return { stopDate: (this.#find(execution.arn).stopMs ?? stopMs) / 1000 };
      }
      default:
        throw new AwsServiceError(
          'UnknownOperationException',
          `${call.operation} is not part of the local Step Functions`,
        );
    }
  }

  #describeMachine(machineArn: string): object {
    const { arn: stateMachineArn, name, roleArn } = this.#machine(machineArn);
    return { stateMachineArn, name, roleArn, status: 'ACTIVE', type: 'STANDARD' };
  }

  #machine(machineArn: string): Machine {
    const machine = this.#machines.get(machineArn);
    if (machine !== undefined) return machine;
    throw new AwsServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${machineArn}'`);
  }

  #find(executionArn: string): Execution {
    const execution = this.#store.find(executionArn);
    if (execution === undefined) {
      throw new AwsServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
    }
    return execution;
  }
}

function toMachine(resource: DeployedResource, host: LambdaHost, authorizer: Authorizer): Machine {
  const definition = prepareDefinition(definitionOf(resource));
  const roleArn = String(resource.properties.RoleArn);
  // Step Functions' sessions of a machine's role carry a name of its own making.
  const runner = new TaskRunner(host, authorizer, roleSession(roleNameOf(roleArn), 'states'));
  const handlers: TaskHandlers = {};
  for (const [name, state] of taskStates(definition.States)) {
    handlers[name] = state.Resource?.includes(':function:')
      ? async (input) => (await runner.call(state.Resource as string, input)) as Json
      : async (input) => (await runner.invoke(input as Record<string, unknown>)) as Json;
  }
  return {
    arn: resource.physicalId,
    name: resource.attribute('Name'),
    roleArn,
    // The definition was validated at synthesis; validating it again would only cost time at every start.
    machine: new StateMachine(definition as unknown as StateMachineDefinition, {
      validationOptions: { noValidate: true },
    }),
    handlers,
  };
}

function definitionOf(resource: DeployedResource): Definition {
  const { DefinitionString, Definition: object, DefinitionSubstitutions } = resource.properties;
  let text = typeof DefinitionString === 'string' ? DefinitionString : JSON.stringify(object);
  for (const [name, value] of Object.entries((DefinitionSubstitutions as Record<string, unknown>) ?? {})) {
    text = text.replaceAll(`\${${name}}`, String(value));
  }
  return JSON.parse(text) as Definition;
}

function failure(error: unknown): ExecutionEnd {
  const stopMs = Date.now();
  if (error instanceof ExecutionAbortedError) {
    return { status: 'ABORTED', stopMs };
  }
  if (error instanceof ExecutionTimeoutError) {
    return { status: 'TIMED_OUT', stopMs, error: 'States.Timeout' };
  }
  const { cause } = error as { cause?: unknown };
  const reason = cause instanceof Error ? cause : (error as Error);
  return { status: 'FAILED', stopMs, error: reason.name, cause: reason.message };
}

function describe(execution: Execution): object {
  return {
    executionArn: execution.arn,
    stateMachineArn: execution.machineArn,
    name: execution.name,
    status: execution.status,
    startDate: execution.startMs / 1000,
    ...(execution.stopMs === undefined ? {} : { stopDate: execution.stopMs / 1000 }),
    input: execution.input,
    inputDetails: { included: true },
    ...(execution.output === undefined
      ? {}
      : { output: execution.output, outputDetails: { included: true } }),
    ...(execution.error === undefined ? {} : { error: execution.error }),
    ...(execution.cause === undefined ? {} : { cause: execution.cause }),
  };
}

function parseJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new AwsServiceError('InvalidExecutionInput', 'Invalid State Machine Execution Input: not JSON');
  }
}

const describeOne = (event: HistoryEvent, position: number): object => describeEvent(event, position + 1);

/** A page: the token is the number of events before it. */
function history(events: readonly object[], input: Record<string, unknown>): object {
  const ordered = input.reverseOrder === true ? [...events].reverse() : events;
  const from = Number(input.nextToken ?? 0);
  const to = from + Number(input.maxResults ?? MAX_HISTORY_PAGE);
  return {
    events: ordered.slice(from, to),
    ...(to < ordered.length ? { nextToken: String(to) } : {}),
  };
}
