import { existsSync, readFileSync, rmSync } from 'node:fs';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EnvironmentLaunch, ExecutionEnvironment } from '../../../local/lambda/execution-environment.ts';
import { InvokeServer } from '../../../local/lambda/invoke-server.ts';
import type { LambdaHost } from '../../../local/lambda/lambda-host.ts';
import { allow, clientConfig, Fixture, functionArn, role } from '../local-support/fixture.ts';

let fixture: Fixture;
let host: LambdaHost;
let server: InvokeServer;
let endpoint: string;

const call = async (name: string, event: unknown = {}) => {
  const result = await host.invoke(`fixture-${name}`, Buffer.from(JSON.stringify(event)));
  return { ok: result.ok, value: JSON.parse(result.payload.toString('utf8')) };
};

beforeAll(async () => {
  fixture = new Fixture(
    {
      Caller: role(allow('lambda:InvokeFunction', functionArn('Echo'))),
      Slow: { Type: '', Properties: { Timeout: 1 } },
      Hungry: { Type: '', Properties: { MemorySize: 128, Timeout: 20 } },
      Recycling: { Type: '', Properties: { Timeout: 20 } },
      Isolated: { Type: '', Properties: { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } } },
      Retried: {
        Type: '',
        Properties: { Environment: { Variables: { POWERTOOLS_SERVICE_NAME: 'retried' } } },
      },
    },
    {
      Echo: `let calls = 0; exports.handler = async (event, context) => {
        if (event.sleepMs) await new Promise((r) => setTimeout(r, event.sleepMs));
        if (event.fail) { const e = new Error('on purpose'); e.name = 'DATASET_TOO_LARGE'; throw e; }
        if (event.exit) process.exit(3);
        if (event.big) return 'x'.repeat(7 * 1024 * 1024);
        return { pid: process.pid, calls: ++calls, event, env: { ...process.env }, id: context.awsRequestId,
          remaining: context.getRemainingTimeInMillis(), arn: context.invokedFunctionArn, memory: context.memoryLimitInMB };
      };`,
      Slow: 'exports.handler = () => new Promise((r) => setTimeout(r, 60_000));',
      Spinning: 'exports.handler = async () => { for (;;); };',
      Gone: 'exports.handler = async () => 1;',
      Isolated:
        'exports.handler = async (event, context) => ({ pid: process.pid, tenant: context.tenantId });',
      Broken: 'throw new Error("cannot load");',
      Hungry:
        'const kept = []; exports.handler = async () => { for (let i = 0; i < 300; i++) { kept.push(Buffer.alloc(4 << 20, 1)); await new Promise((r) => setTimeout(r, 5)); } };',
      // Answers through the Runtime API by itself, and ends before it asks for the next call.
      Recycling: `const { request } = require('node:http'); exports.handler = (event, context) => new Promise(() => {
        const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(':');
        const path = '/2018-06-01/runtime/invocation/' + context.awsRequestId + '/response';
        const answer = request({ host, port, path, method: 'POST' }, (response) => response.resume().on('end', () => process.exit(0)));
        answer.end(JSON.stringify({ pid: process.pid }));
      });`,
      Retried: `const { appendFileSync } = require('node:fs'); exports.handler = async (e) => { appendFileSync(e.file, 'x'); throw new Error('again'); };`,
    },
  );
  host = fixture.host({ concurrency: 3, asyncRetryDelaysMs: [5, 5] });
  server = new InvokeServer({ registry: fixture.registry, onFailure: fixture.onFailure });
  endpoint = await server.start();
  server.deploy(host, fixture.authorizer);
});

afterAll(async () => {
  await host.stop();
  await server.stop();
  fixture.remove();
});

describe('a function that isolates its tenants', () => {
  const isolated = async (tenantId: string) => {
    const { payload } = await host.invoke('fixture-Isolated', Buffer.from('{}'), { tenantId });
    return JSON.parse(payload.toString('utf8')) as { pid: number; tenant: string };
  };

  it('keeps the processes of one tenant from every other, and tells them whom they are for', async () => {
    const [first, other, again] = [await isolated('acme'), await isolated('zeta'), await isolated('acme')];
    expect([first.tenant, other.tenant]).toEqual(['acme', 'zeta']);
    expect(again.pid).toBe(first.pid);
    expect(other.pid).not.toBe(first.pid);
    expect(host.pids('Isolated', 'acme')).toEqual([first.pid]);
    expect(host.pids('Isolated').sort()).toEqual([first.pid, other.pid].sort());
  });

  it('takes no call that names no tenant, and other functions take none that does', () => {
    const refused = expect.objectContaining({ code: 'InvalidParameterValueException' });
    expect(() => host.invoke('fixture-Isolated', Buffer.from('{}'))).toThrow(refused);
    expect(() => host.invoke('fixture-Echo', Buffer.from('{}'), { tenantId: 'acme' })).toThrow(refused);
  });
});

describe('an execution environment', () => {
  it('is reused while warm and sees what Lambda sets, and nothing of the host', async () => {
    process.env.SECRET_OF_THE_HOST = 'leak';
    const first = (await call('Echo', { n: 1 })).value;
    const second = (await call('Echo', { n: 2 })).value;
    expect(second.pid).toBe(first.pid);
    expect(second.calls).toBe(first.calls + 1);
    expect(second.id).not.toBe(first.id);
    expect(second.remaining).toBeGreaterThan(9000);
    expect(second.arn).toBe(functionArn('Echo'));
    expect(first.env).toMatchObject({
      AWS_LAMBDA_FUNCTION_NAME: 'fixture-Echo',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_REGION: 'us-east-1',
      NODE_PATH: '/nonexistent',
    });
    expect(first.env).not.toHaveProperty('SECRET_OF_THE_HOST');
    expect(first.env.HOME).not.toBe(process.env.HOME);
  });

  it('runs one call at a time, others in processes of their own up to the cap', async () => {
    const answers = await Promise.all(Array.from({ length: 9 }, () => call('Echo', { sleepMs: 150 })));
    expect(answers.every(({ ok }) => ok)).toBe(true);
    expect(new Set(answers.map(({ value }) => value.pid)).size).toBe(3);
    expect(host.pids('Echo')).toHaveLength(3);
  });

  it('reports the error of a handler by its name and stays', async () => {
    const { ok, value } = await call('Echo', { fail: true });
    expect([ok, value.errorType, value.errorMessage]).toEqual([false, 'DATASET_TOO_LARGE', 'on purpose']);
    expect((await call('Echo')).ok).toBe(true);
  });

  it('fails only the calls in flight when its processes are killed', async () => {
    const inFlight = Promise.all(Array.from({ length: 3 }, () => call('Echo', { sleepMs: 2000 })));
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const pid of host.pids('Echo')) process.kill(pid, 'SIGKILL');
    expect((await inFlight).map(({ value }) => value.errorType)).toEqual(Array(3).fill('Runtime.ExitError'));
    const next = await Promise.all(Array.from({ length: 6 }, () => call('Echo')));
    expect(next.every(({ ok }) => ok)).toBe(true);
  });

  it('fails the call of a process that exits, and starts anew', async () => {
    expect((await call('Echo', { exit: true })).value.errorMessage).toContain('exit status 3');
    expect((await call('Echo')).ok).toBe(true);
  });

  it('takes the end of a process that has answered as normal: no call fails and nothing is logged', async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => call('Recycling')));
    expect(answers.map(({ ok }) => ok)).toEqual(Array(6).fill(true));
    expect(new Set(answers.map(({ value }) => value.pid)).size).toBe(6);
    const log = host.logFile(host.find('fixture-Recycling'));
    expect(existsSync(log) ? readFileSync(log, 'utf8') : '').toBe('');
  });

  it('kills a call at its timeout, waiting or computing', async () => {
    const { value } = await call('Slow');
    expect([value.errorType, value.errorMessage]).toEqual([
      'Sandbox.Timedout',
      expect.stringContaining('timed out after 1.00 seconds'),
    ]);
  });

  it('kills a process that outgrows its memory outside the heap', async () => {
    expect((await call('Hungry')).value.errorType).toBe('Runtime.OutOfMemory');
  });

  it('answers a function that cannot load with its error', async () => {
    const { ok, value } = await call('Broken');
    expect([ok, value.errorMessage]).toEqual([false, 'cannot load']);
  });

  it('says once in the log what is gone when a function cannot be started', async () => {
    const failures: Error[] = [];
    const own = fixture.host({ onFailure: (error) => failures.push(error as Error) });
    try {
      rmSync(`${fixture.directory}/asset.Gone`, { recursive: true });
      for (let i = 0; i < 3; i++) {
        const { ok, payload } = await own.invoke('fixture-Gone', Buffer.from('{}'));
        expect([ok, JSON.parse(payload.toString('utf8')).errorType]).toEqual([false, 'Runtime.ExitError']);
      }
      const expected = expect.stringMatching(/^Gone cannot be started: .*asset\.Gone is gone/);
      expect(failures.map(({ message }) => message)).toEqual([expected]);
      const log = readFileSync(own.logFile(own.find('fixture-Gone')), 'utf8')
        .trim()
        .split('\n');
      expect(log.map((line) => JSON.parse(line))).toEqual([
        expect.objectContaining({ level: 'ERROR', message: expected }),
      ]);
    } finally {
      await own.stop();
    }
  });

  it('says so of a missing bootstrap, and nothing when it is stopped while starting', async () => {
    const reasons: string[] = [];
    const launch = (bootstrap: string): EnvironmentLaunch => ({
      config: host.find('fixture-Echo'),
      logFile: `${fixture.directory}/bootstrap.log`,
      temporaryDirectory: `${fixture.directory}/bootstrap-tmp`,
      bootstrap,
      command: [process.execPath, bootstrap],
      environment: () => ({}),
      onStartFailure: (reason) => reasons.push(reason),
    });
    const dead = (bootstrap: string, stop: boolean) =>
      new Promise<void>((resolve) => {
        const environment = new ExecutionEnvironment(launch(bootstrap), () => resolve());
        if (stop) void environment.stop();
      });
    await dead(`${fixture.directory}/none.cjs`, true);
    expect(reasons).toEqual([]);
    await dead(`${fixture.directory}/none.cjs`, false);
    expect(reasons).toEqual([expect.stringContaining('none.cjs is gone')]);
  });

  it('refuses a response over six megabytes', async () => {
    expect((await call('Echo', { big: true })).value.errorType).toBe('Function.ResponseSizeTooLarge');
  });

  it('ends a computing process when the host stops', async () => {
    const spinning = fixture.host();
    const running = spinning.invoke('fixture-Spinning', Buffer.from('{}'));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const [pid] = spinning.pids('Spinning') as [number];
    await spinning.stop();
    expect((await running).ok).toBe(false);
    expect(existsSync(`/proc/${pid}`)).toBe(false);
  });
});

describe('the Invoke API', () => {
  const client = (roleName: string) =>
    new LambdaClient(clientConfig(endpoint, fixture.credentials(roleName)));
  const invoke = (FunctionName: string, more = {}) =>
    client('Caller').send(
      new InvokeCommand({ FunctionName, Payload: JSON.stringify({ hello: 1 }), ...more }),
    );

  it('takes a name or an ARN and tells a function error from an answer', async () => {
    for (const name of ['fixture-Echo', functionArn('Echo')]) {
      const answer = await invoke(name);
      expect(answer.FunctionError).toBeUndefined();
      expect(JSON.parse(answer.Payload?.transformToString() ?? '').event).toEqual({ hello: 1 });
    }
    const failed = await invoke('fixture-Echo', { Payload: '{"fail":true}' });
    expect(failed.FunctionError).toBe('Unhandled');
  });

  it('asks the policies', async () => {
    await expect(invoke('fixture-Slow')).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(invoke('fixture-Missing')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('accepts an event at once', async () => {
    expect((await invoke('fixture-Echo', { InvocationType: 'Event' })).StatusCode).toBe(202);
  });

  it('retries a failing event twice and writes down that it gave up', async () => {
    const file = `${fixture.directory}/attempts`;
    host.invokeAsync('fixture-Retried', Buffer.from(JSON.stringify({ file })));
    const log = `${fixture.directory}/logs/retried.log`;
    await expect
      .poll(() => (existsSync(log) ? readFileSync(log, 'utf8') : ''), { timeout: 5000 })
      .toContain('given up');
    expect(readFileSync(file, 'utf8')).toBe('xxx');
  });
});
