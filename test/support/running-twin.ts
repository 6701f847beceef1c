import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetExecutionHistoryCommand, SFNClient } from '@aws-sdk/client-sfn';
import { startTwin, type Twin, type TwinOptions } from '../../local/main.ts';
import { HttpClient } from '../../src/client/http-client.ts';
import type { Dataset } from '../../src/contracts/datasets.ts';
import type { ModelName } from '../../src/contracts/names.ts';
import { type Job, terminalStatuses } from '../../src/contracts/training.ts';

/** The twin on a free port, with data of its own. */
export interface RunningTwin {
  readonly twin: Twin;
  readonly dataDir: string;
  client(tenant: string): HttpClient;
  stop(): Promise<void>;
}

export async function runTwin(
  options: { dataDir?: string } & Pick<
    TwinOptions,
    'cloudAssembly' | 'functionEnvironment' | 'sageMakerEndpoints'
  > = {},
): Promise<RunningTwin> {
  const dataDir = options.dataDir ?? mkdtempSync(join(tmpdir(), 'tenantml-test-'));
  const twin = await startTwin({
    port: 0,
    dataDir,
    quiet: true,
    ...(options.cloudAssembly === undefined ? {} : { cloudAssembly: options.cloudAssembly }),
    ...(options.sageMakerEndpoints === undefined ? {} : { sageMakerEndpoints: options.sageMakerEndpoints }),
    ...(options.functionEnvironment === undefined
      ? {}
      : { functionEnvironment: options.functionEnvironment }),
  });
  return {
    twin,
    dataDir,
    client: (tenant) => clientOf(twin.url, () => twin.issueToken(tenant)),
    async stop() {
      await twin.stop();
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A client that asks for its token once. */
export function clientOf(url: string, issue: () => Promise<string>): HttpClient {
  let token: Promise<string> | undefined;
  return new HttpClient(url, () => {
    token ??= issue();
    return token;
  });
}

/** Rows whose label follows from two fields, with a third that is sometimes missing. */
export function sampleRows(nRows: number): Record<string, string | number | boolean | null>[] {
  return Array.from({ length: nRows }, (_, i) => {
    const amount = ((i * 37) % 101) / 10;
    const country = ['DE', 'FR', 'US'][i % 3]!;
    return {
      amount,
      country,
      is_new: i % 4 === 0,
      age: i % 7 === 0 ? null : (i * 13) % 60,
      risk: amount > 5 || country === 'US' ? 'high' : 'low',
      score: Number((amount * 3 + (country === 'US' ? 10 : 0) + (i % 5) * 0.01).toFixed(3)),
    };
  });
}

export async function createSample(client: HttpClient, nRows = 300): Promise<Dataset> {
  return (await client.call('createDataset', {
    body: { name: 'sample', rows: sampleRows(nRows) },
  })) as Dataset;
}

export async function jobEnd(client: HttpClient, jobId: Job['job_id']): Promise<Job> {
  for (;;) {
    const job = (await client.call('getJob', { params: { job_id: jobId } })) as Job;
    if (terminalStatuses.includes(job.status)) return job;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Trains a small model to its end. */
export async function trainSample(
  client: HttpClient,
  name: string,
  options: Record<string, unknown> & { dataset_id?: string; target?: string } = {},
): Promise<Job> {
  const dataset_id = options.dataset_id ?? (await createSample(client)).dataset_id;
  const { job_id } = await client.call('trainModel', {
    body: {
      model_name: name as ModelName,
      target: 'risk',
      hyperparameters: { n_estimators: 10 },
      ...options,
      dataset_id,
    } as never,
  });
  return jobEnd(client, job_id);
}

/** Names of the states that the execution of a job entered, in order. */
export async function executionHistory(
  twin: Twin,
  jobId: Job['job_id'],
  machine: 'Training' | 'Batch' = 'Training',
): Promise<string[]> {
  const machines = twin.template.ofType('AWS::StepFunctions::StateMachine');
  const ran = machines.find(({ logicalId }) => logicalId.startsWith(machine))!;
  const sfn = new SFNClient({
    region: 'us-east-1',
    endpoint: twin.endpoints.stepFunctions,
    credentials: twin.administrator,
  });
  const executionArn = `${ran.physicalId.replace(':stateMachine:', ':execution:')}:${jobId}`;
  const names: string[] = [];
  let nextToken: string | undefined;
  do {
    const page = await sfn.send(
      new GetExecutionHistoryCommand({ executionArn, ...(nextToken === undefined ? {} : { nextToken }) }),
    );
    names.push(...(page.events ?? []).flatMap(({ stateEnteredEventDetails: one }) => one?.name ?? []));
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return names;
}

/** A request as it is, for what no client of ours would send. */
export async function rawRequest(
  url: string,
  init: RequestInit & { token?: string | undefined },
): Promise<{ status: number; headers: Headers; text: string; json: Record<string, unknown> }> {
  const { token, ...rest } = init;
  const headers = new Headers(rest.headers);
  if (token !== undefined) headers.set('authorization', `Bearer ${token}`);
  const response = await fetch(url, { ...rest, headers });
  const text = await response.text();
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Not JSON: the text is for whoever asks for it.
  }
  return { status: response.status, headers: response.headers, text, json };
}
