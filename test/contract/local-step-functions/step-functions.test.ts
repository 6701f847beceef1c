import {
  DescribeExecutionCommand,
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LambdaHost } from '../../../local/lambda/lambda-host.ts';
import type { Execution } from '../../../local/step-functions/execution-store.ts';
import { StateMachineServer } from '../../../local/step-functions/state-machine-server.ts';
import { allow, clientConfig, Fixture, functionArn, role } from '../local-support/fixture.ts';

const MACHINE = 'arn:aws:states:us-east-1:000000000000:stateMachine:fixture-';

let fixture: Fixture;
let host: LambdaHost;
let server: StateMachineServer;
let endpoint: string;
let sfn: SFNClient;
const changes: Execution[] = [];

const invoke = (name: string, payload: object, more: object) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::lambda:invoke',
  Parameters: { FunctionName: functionArn(name), Payload: payload },
  ...more,
});
const machine = (definition: object, roleName = 'MachineRole') => ({
  Type: 'AWS::StepFunctions::StateMachine',
  Properties: { DefinitionString: JSON.stringify(definition), RoleArn: { 'Fn::GetAtt': [roleName, 'Arn'] } },
});

async function start(): Promise<void> {
  server = new StateMachineServer({
    directory: `${fixture.directory}/sfn`,
    registry: fixture.registry,
    onStatusChange: (execution) => changes.push(execution),
    onFailure: fixture.onFailure,
  });
  endpoint = await server.start();
  server.deploy(fixture.template.ofType('AWS::StepFunctions::StateMachine'), host, fixture.authorizer);
  sfn = new SFNClient(clientConfig(endpoint, fixture.credentials('Starter')));
}

beforeAll(async () => {
  fixture = new Fixture(
    {
      Starter: role(
        allow(
          [
            'states:StartExecution',
            'states:DescribeExecution',
            'states:DescribeStateMachine',
            'states:StopExecution',
            'states:GetExecutionHistory',
          ],
          '*',
        ),
      ),
      Stranger: role(allow('states:StartExecution', `${MACHINE}Other`)),
      MachineRole: role(allow('lambda:InvokeFunction', functionArn('Step'))),
      // Slices until done, as a training does; every path field in use.
      Slices: machine({
        StartAt: 'Fit',
        TimeoutSeconds: 60,
        States: {
          Fit: invoke(
            'Step',
            { 'n.$': '$.state.value.n', 'job.$': '$.job' },
            {
              ResultSelector: { 'value.$': '$.Payload' },
              ResultPath: '$.state',
              TimeoutSecondsPath: '$.timeout_seconds',
              Next: 'Done?',
            },
          ),
          'Done?': {
            Type: 'Choice',
            Choices: [{ Variable: '$.state.value.done', BooleanEquals: false, Next: 'Fit' }],
            Default: 'End',
          },
          End: { Type: 'Pass', OutputPath: '$.state.value', End: true },
        },
      }),
      // One loop of slices per item, as the evaluation of candidates does.
      Each: machine({
        StartAt: 'Items',
        States: {
          Items: {
            Type: 'Map',
            ItemsPath: '$.state.value.items',
            MaxConcurrency: 2,
            ItemSelector: {
              'timeout_seconds.$': '$.timeout_seconds',
              'fail.$': '$.fail',
              state: { value: { 'n.$': '$$.Map.Item.Value' } },
            },
            ItemProcessor: {
              ProcessorConfig: { Mode: 'INLINE' },
              StartAt: 'Slice',
              States: {
                Slice: invoke(
                  'Step',
                  { 'n.$': '$.state.value.n', 'failAt.$': '$.fail' },
                  {
                    ResultSelector: { 'value.$': '$.Payload' },
                    ResultPath: '$.state',
                    TimeoutSecondsPath: '$.timeout_seconds',
                    Next: 'Done?',
                  },
                ),
                'Done?': {
                  Type: 'Choice',
                  Choices: [{ Variable: '$.state.value.done', BooleanEquals: false, Next: 'Slice' }],
                  Default: 'Measured',
                },
                Measured: { Type: 'Pass', Parameters: { 'n.$': '$.state.value.n' }, End: true },
              },
            },
            ResultPath: '$.state.value.results',
            Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Failed' }],
            Next: 'End',
          },
          End: { Type: 'Pass', OutputPath: '$.state.value', End: true },
          Failed: { Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' },
        },
      }),
      Failing: machine({
        StartAt: 'Try',
        States: {
          Try: invoke(
            'Step',
            { fail: 'DATASET_TOO_LARGE' },
            {
              Retry: [{ ErrorEquals: ['Lambda.ServiceException'], IntervalSeconds: 60 }],
              Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Failed' }],
              End: true,
            },
          ),
          Failed: { Type: 'Fail', ErrorPath: '$.error.Error', CausePath: '$.error.Cause' },
        },
      }),
      Retrying: machine({
        StartAt: 'Try',
        States: {
          Try: invoke(
            'Step',
            { 'file.$': '$.file', failUntil: 2 },
            {
              Retry: [
                { ErrorEquals: ['DATABASE_RESUMING'], IntervalSeconds: 1, BackoffRate: 1, MaxAttempts: 3 },
              ],
              ResultSelector: { 'attempts.$': '$.Payload.attempts' },
              End: true,
            },
          ),
        },
      }),
      TaskTimeout: machine({
        StartAt: 'Wait',
        States: {
          Wait: invoke(
            'Step',
            { sleepMs: 5000 },
            {
              TimeoutSecondsPath: '$.timeout_seconds',
              Catch: [{ ErrorEquals: ['States.Timeout'], ResultPath: '$.error', Next: 'Caught' }],
              End: true,
            },
          ),
          Caught: { Type: 'Pass', OutputPath: '$.error.Error', End: true },
        },
      }),
      Waiting: machine({ StartAt: 'Wait', States: { Wait: { Type: 'Wait', Seconds: 600, End: true } } }),
      MachineTimeout: machine({
        StartAt: 'Wait',
        TimeoutSeconds: 1,
        States: { Wait: { Type: 'Wait', Seconds: 600, End: true } },
      }),
      Unauthorized: machine({ StartAt: 'Try', States: { Try: invoke('Other', {}, { End: true }) } }),
    },
    {
      Step: `const fs = require('node:fs'); exports.handler = async (e) => {
        const fail = (name) => { const x = new Error('because'); x.name = name; throw x; };
        if (e.sleepMs) await new Promise((r) => setTimeout(r, e.sleepMs));
        if (e.fail) fail(e.fail);
        if (e.failAt !== undefined && e.failAt === e.n) fail('JOB_ENDED');
        if (e.file) { fs.appendFileSync(e.file, 'x'); const attempts = fs.readFileSync(e.file, 'utf8').length; if (attempts <= e.failUntil) fail('DATABASE_RESUMING'); return { attempts }; }
        if (Object.keys(e).some((k) => k.startsWith('__'))) fail('LEAKED_FIELD');
        return { n: e.n + 1, done: e.n + 1 >= 3, job: e.job };
      };`,
      Other: 'exports.handler = async () => 1;',
    },
  );
  host = fixture.host();
  await start();
});

afterAll(async () => {
  await server.stop();
  await host.stop();
  fixture.remove();
  expect(fixture.failures).toEqual([]);
});

const run = (name: string, input: object = {}, executionName?: string) =>
  sfn.send(
    new StartExecutionCommand({
      stateMachineArn: `${MACHINE}${name}`,
      input: JSON.stringify(input),
      name: executionName,
    }),
  );
const describeExecution = (executionArn: string | undefined) =>
  sfn.send(new DescribeExecutionCommand({ executionArn }));

async function finish(name: string, input: object = {}) {
  const { executionArn } = await run(name, input);
  await expect
    .poll(async () => (await describeExecution(executionArn)).status, { timeout: 10_000, interval: 20 })
    .not.toBe('RUNNING');
  return describeExecution(executionArn);
}

describe('a state machine', () => {
  it('is described to who may ask, and one that is not there is not', async () => {
    const ask = (name: string, client = sfn) =>
      client.send(new DescribeStateMachineCommand({ stateMachineArn: `${MACHINE}${name}` }));
    const name = 'Slices';
    expect(await ask(name)).toMatchObject({ status: 'ACTIVE', stateMachineArn: `${MACHINE}${name}` });
    await expect(ask('Nowhere')).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
    const stranger = new SFNClient(clientConfig(endpoint, fixture.credentials('Stranger')));
    await expect(ask(name, stranger)).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

describe('an execution', () => {
  it('loops over slices and gives its output', async () => {
    const end = await finish('Slices', { job: 'j', timeout_seconds: 20, state: { value: { n: 0 } } });
    expect(end.status).toBe('SUCCEEDED');
    expect(JSON.parse(end.output ?? '')).toEqual({ n: 3, done: true, job: 'j' });
    expect(changes.filter(({ arn }) => arn === end.executionArn).map(({ status }) => status)).toEqual([
      'RUNNING',
      'SUCCEEDED',
    ]);
  });

  it('runs one loop per item of a Map, and gives the results in the order of the items', async () => {
    const input = { timeout_seconds: 20, fail: -1, state: { value: { items: [0, 2, 1] } } };
    const end = await finish('Each', input);
    expect(end.status).toBe('SUCCEEDED');
    expect(JSON.parse(end.output ?? '')).toEqual({
      items: [0, 2, 1],
      results: [{ n: 3 }, { n: 3 }, { n: 3 }],
    });
    const { events } = await sfn.send(
      new GetExecutionHistoryCommand({ executionArn: end.executionArn, maxResults: 1_000 }),
    );
    const types = events!.map(({ type }) => type);
    expect(types.filter((type) => type === 'MapIterationStarted')).toHaveLength(3);
    // Three, one and two slices.
    const slices = events!.filter(
      ({ type, stateEnteredEventDetails }) =>
        type === 'TaskStateEntered' && stateEnteredEventDetails?.name === 'Slice',
    );
    expect(slices).toHaveLength(6);
  });

  it('catches at the Map what one of its items failed with', async () => {
    const end = await finish('Each', { timeout_seconds: 20, fail: 1, state: { value: { items: [2, 1] } } });
    expect([end.status, end.error]).toEqual(['FAILED', 'JOB_ENDED']);
    expect(JSON.parse(end.cause ?? '')).toMatchObject({ errorType: 'JOB_ENDED', errorMessage: 'because' });
  });

  it('tells what happened, in order, in pages, forwards and backwards', async () => {
    const { executionArn } = await finish('Slices', {
      job: 'j',
      timeout_seconds: 20,
      state: { value: { n: 1 } },
    });
    const first = await sfn.send(new GetExecutionHistoryCommand({ executionArn, maxResults: 4 }));
    const rest = await sfn.send(new GetExecutionHistoryCommand({ executionArn, nextToken: first.nextToken }));
    const told = [...first.events!, ...rest.events!].map(({ type, stateEnteredEventDetails: entered }) =>
      entered === undefined ? type : `${type} ${entered.name}`,
    );
    expect(first.events).toHaveLength(4);
    expect(told).toEqual([
      'ExecutionStarted',
      'TaskStateEntered Fit',
      'TaskStateExited',
      'ChoiceStateEntered Done?',
      'ChoiceStateExited',
      'TaskStateEntered Fit',
      'TaskStateExited',
      'ChoiceStateEntered Done?',
      'ChoiceStateExited',
      'PassStateEntered End',
      'PassStateExited',
      'ExecutionSucceeded',
    ]);
    const backwards = await sfn.send(
      new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 1 }),
    );
    expect(backwards.events![0]).toMatchObject({ type: 'ExecutionSucceeded', id: 12 });
  });

  it('catches an error by the name that the function gave it', async () => {
    const end = await finish('Failing');
    expect([end.status, end.error]).toEqual(['FAILED', 'DATASET_TOO_LARGE']);
    expect(JSON.parse(end.cause ?? '')).toMatchObject({
      errorType: 'DATASET_TOO_LARGE',
      errorMessage: 'because',
    });
  });

  it('retries the errors that the definition names', async () => {
    const end = await finish('Retrying', { file: `${fixture.directory}/attempts` });
    expect(JSON.parse(end.output ?? '')).toEqual({ attempts: 3 });
  });

  it('takes a task timeout from the state input', async () => {
    expect(JSON.parse((await finish('TaskTimeout', { timeout_seconds: 1 })).output ?? '')).toBe(
      'States.Timeout',
    );
  });

  it('ends at the timeout of the machine', async () => {
    expect((await finish('MachineTimeout')).status).toBe('TIMED_OUT');
  });

  it('calls functions with the rights of its role only', async () => {
    const end = await finish('Unauthorized');
    expect([end.status, end.error]).toEqual(['FAILED', 'Lambda.AccessDeniedException']);
  });

  it('is started once by its name', async () => {
    const first = await run('Waiting', { a: 1 }, 'once');
    expect((await run('Waiting', { a: 1 }, 'once')).executionArn).toBe(first.executionArn);
    await expect(run('Waiting', { a: 2 }, 'once')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
    await sfn.send(
      new StopExecutionCommand({ executionArn: first.executionArn, error: 'CANCELLED', cause: 'asked' }),
    );
    expect(await describeExecution(first.executionArn)).toMatchObject({
      status: 'ABORTED',
      error: 'CANCELLED',
      cause: 'asked',
    });
    await expect(run('Waiting', { a: 1 }, 'once')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  });

  it('that a restart interrupted is failed, with an event', async () => {
    const { executionArn } = await run('Waiting');
    await server.stop();
    await start();
    expect((await describeExecution(executionArn)).status).toBe('RUNNING');
    expect(server.failInterrupted()).toBe(1);
    expect((await describeExecution(executionArn)).status).toBe('FAILED');
    expect(changes.at(-1)).toMatchObject({ arn: executionArn, status: 'FAILED', error: 'States.Runtime' });
  });
});

describe('requests', () => {
  it('are refused to a role without the right, and for machines and input that are none', async () => {
    const stranger = new SFNClient(clientConfig(endpoint, fixture.credentials('Stranger')));
    await expect(
      stranger.send(new StartExecutionCommand({ stateMachineArn: `${MACHINE}Waiting` })),
    ).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
    await expect(run('Missing')).rejects.toMatchObject({ name: 'StateMachineDoesNotExist' });
    await expect(
      sfn.send(new StartExecutionCommand({ stateMachineArn: `${MACHINE}Waiting`, input: '{' })),
    ).rejects.toMatchObject({ name: 'InvalidExecutionInput' });
  });
});
