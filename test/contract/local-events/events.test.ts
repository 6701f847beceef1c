import { existsSync, readFileSync } from 'node:fs';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EventBusServer } from '../../../local/events/event-bus-server.ts';
import { Targets } from '../../../local/events/targets.ts';
import type { LambdaHost } from '../../../local/lambda/lambda-host.ts';
import { StateMachineServer } from '../../../local/step-functions/state-machine-server.ts';
import { statusChangeEvent } from '../../../local/step-functions/status-change-event.ts';
import { allow, clientConfig, Fixture, role } from '../local-support/fixture.ts';

let fixture: Fixture;
let host: LambdaHost;
let buses: EventBusServer;
let machines: StateMachineServer;
let endpoint: string;

const rule = (pattern: object, target: object, bus?: object) => ({
  Type: 'AWS::Events::Rule',
  Properties: {
    EventPattern: pattern,
    State: 'ENABLED',
    ...(bus ? { EventBusName: bus } : {}),
    Targets: [{ Id: 't', ...target }],
  },
});
const permission = (name: string, sourceRule: string) => ({
  Type: 'AWS::Lambda::Permission',
  Properties: {
    Action: 'lambda:InvokeFunction',
    FunctionName: { Ref: name },
    Principal: 'events.amazonaws.com',
    SourceArn: { 'Fn::GetAtt': [sourceRule, 'Arn'] },
  },
});

beforeAll(async () => {
  const note = `const { appendFileSync } = require('node:fs'); exports.handler = async (e) => appendFileSync(process.env.FILE, JSON.stringify(e) + '\\n');`;
  fixture = new Fixture(
    {
      Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'own-bus' } },
      Publisher: role(allow('events:PutEvents', { 'Fn::GetAtt': ['Bus', 'Arn'] })),
      OnTrained: rule(
        {
          source: ['tenantml'],
          'detail-type': ['ml.training.completed'],
          detail: { score: [{ exists: true }] },
        },
        { Arn: { 'Fn::GetAtt': ['Note', 'Arn'] }, InputPath: '$.detail' },
        { Ref: 'Bus' },
      ),
      MayNote: {
        Type: 'AWS::Lambda::Permission',
        Properties: {
          Action: 'lambda:InvokeFunction',
          FunctionName: { Ref: 'Note' },
          Principal: 'events.amazonaws.com',
        },
      },
      OnEnded: rule(
        { source: ['aws.states'], detail: { status: ['FAILED'] } },
        { Arn: { 'Fn::GetAtt': ['Close', 'Arn'] } },
      ),
      MayClose: permission('Close', 'OnEnded'),
      OnForbidden: rule(
        { source: ['forbidden'] },
        { Arn: { 'Fn::GetAtt': ['Forbidden', 'Arn'] } },
        { Ref: 'Bus' },
      ),
      Note: { Type: '', Properties: { Environment: { Variables: { FILE: '/dev/null' } } } },
    },
    { Note: note, Close: note, Forbidden: note },
  );
  // The functions write into the folder of the fixture, which exists only now.
  for (const resource of fixture.template.ofType('AWS::Lambda::Function')) {
    Object.assign(resource.properties, {
      Environment: { Variables: { FILE: `${fixture.directory}/${resource.logicalId}` } },
    });
  }
  host = fixture.host();
  buses = new EventBusServer({ registry: fixture.registry, onFailure: fixture.onFailure });
  machines = new StateMachineServer({
    directory: fixture.directory,
    registry: fixture.registry,
    onStatusChange: (execution) => buses.publish('default', statusChangeEvent(execution)),
    onFailure: fixture.onFailure,
  });
  endpoint = await buses.start();
  buses.deploy(fixture.template, new Targets(host, machines, fixture.authorizer), fixture.authorizer);
});

afterAll(async () => {
  await buses.stop();
  await machines.stop();
  await host.stop();
  fixture.remove();
});

const received = (name: string): unknown[] => {
  const file = `${fixture.directory}/${name}`;
  return existsSync(file)
    ? readFileSync(file, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    : [];
};
const put = (entry: object, EventBusName = 'own-bus') =>
  new EventBridgeClient(clientConfig(endpoint, fixture.credentials('Publisher'))).send(
    new PutEventsCommand({
      Entries: [
        {
          Source: 'tenantml',
          DetailType: 'ml.training.completed',
          Detail: '{"score":1}',
          EventBusName,
          ...entry,
        },
      ],
    }),
  );

describe('the bus', () => {
  it('delivers what matches a rule, shaped by its target', async () => {
    expect(await put({})).toMatchObject({ FailedEntryCount: 0, Entries: [{ EventId: expect.any(String) }] });
    await put({ Detail: '{}' });
    await put({ DetailType: 'ml.other' });
    await put({ Detail: '{"score":2}' });
    await expect.poll(() => received('Note').length, { timeout: 5000 }).toBe(2);
    expect(received('Note')).toEqual(expect.arrayContaining([{ score: 1 }, { score: 2 }]));
  });

  it('reports entries that are no events', async () => {
    const answer = await put({ Detail: 'no json' });
    expect([answer.FailedEntryCount, answer.Entries?.[0]?.ErrorCode]).toEqual([1, 'MalformedDetail']);
  });

  it('asks the policies of the sender and of the target', async () => {
    await expect(put({}, 'default')).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await put({ Source: 'forbidden' });
    await expect
      .poll(() => String(fixture.failures.at(-1)), { timeout: 5000 })
      .toContain('not authorized to perform: lambda:InvokeFunction');
    expect(received('Forbidden')).toEqual([]);
  });

  it('carries the status changes of executions in the form of AWS', async () => {
    buses.publish(
      'default',
      statusChangeEvent({
        arn: 'arn:execution',
        machineArn: 'arn:machine',
        name: 'e',
        input: '{"job_id":"1"}',
        status: 'FAILED',
        startMs: 1000,
        stopMs: 2000,
        output: undefined,
        error: 'States.Runtime',
        cause: 'why',
      }),
    );
    await expect.poll(() => received('Close').length, { timeout: 5000 }).toBe(1);
    expect(received('Close')[0]).toMatchObject({
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      resources: ['arn:execution'],
      detail: {
        executionArn: 'arn:execution',
        status: 'FAILED',
        startDate: 1000,
        stopDate: 2000,
        input: '{"job_id":"1"}',
        output: null,
      },
    });
  });
});
