import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as tenantml from '../../src/index.ts';

const { MLFrameworkError } = tenantml;
const table = (rows: number) =>
  tenantml.tableFromRecords(Array.from({ length: rows }, (_, i) => ({ a: i, b: i % 2 === 0 ? 'x' : 'y' })));

let server: Server;
beforeAll(async () => {
  server = createServer((_, response) => {
    const problem = {
      ...{ type: 'https://tenantml.dev/problems/model-not-found', title: 'Not found', status: 404 },
      ...{ detail: 'no model ghost', instance: '/', code: 'MODEL_NOT_FOUND', request_id: 'r', errors: [] },
    };
    response.writeHead(404, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterAll(() => server.close());

describe('the errors of the package', () => {
  it('MLFrameworkError is the base of all of them, each with a stable code', () => {
    for (const Class of [
      ...[tenantml.TrainingError, tenantml.PredictionError, tenantml.ModelLoadError],
      ...[tenantml.ModelSaveError, tenantml.ModelNotFoundError, tenantml.ValidationError],
      ...[tenantml.ApiError, tenantml.UnreachableError, tenantml.JobFailedError, tenantml.DownloadError],
      ...[tenantml.PlatformUnavailableError, tenantml.TenantMismatchError],
    ])
      expect(Class.prototype).toBeInstanceOf(MLFrameworkError);
    expect(tenantml.MLTrainingError).toBe(tenantml.TrainingError);
  });

  const spec: tenantml.PipelineSpec = {
    ...{ task: 'classification', target: 'b', algorithm: 'logistic_regression' },
    ...{ hyperparameters: {}, randomState: 42 },
  };
  const fitted = () => {
    const fit = tenantml.fitPipeline(table(40), spec);
    if (!fit.done) throw new Error('it was asked to pause by nobody');
    return fit.model;
  };
  const thrown = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return error;
    }
  };

  it('TrainingError: a fit that goes on from the checkpoint of another', () => {
    const error = thrown(() => tenantml.fitPipeline(table(40), spec, {}, { format: 'fit-checkpoint-1' }));
    expect(error).toBeInstanceOf(tenantml.TrainingError);
    expect(error).toMatchObject({ code: 'CHECKPOINT_MISMATCH', name: 'TrainingError' });
  });

  it('PredictionError: rows without a feature', () => {
    const error = thrown(() => fitted().predict(tenantml.tableFromRecords([{ other: 1 }])));
    expect(error).toBeInstanceOf(tenantml.PredictionError);
    expect(error).toMatchObject({ code: 'FEATURE_NOT_FOUND' });
  });

  it('ModelLoadError: JSON of no known format', () => {
    const error = thrown(() => tenantml.pipelineFromJSON({ format: 'pickle' }));
    expect(error).toBeInstanceOf(tenantml.ModelLoadError);
    expect(error).toMatchObject({ code: 'MODEL_LOAD_FAILED' });
  });

  it('ModelSaveError: a model that nothing here has made', () => {
    const { features, task, target } = fitted();
    const error = thrown(() => tenantml.exportOnnx({ features, task, target, algorithm: 'own' } as never));
    expect(error).toBeInstanceOf(tenantml.ModelSaveError);
    expect(error).toMatchObject({ code: 'MODEL_SAVE_FAILED' });
  });

  it('ModelNotFoundError: a model that the server does not know', async () => {
    const { port } = server.address() as AddressInfo;
    const client = new tenantml.HttpClient(`http://127.0.0.1:${port}`, async () => 'token');
    const error = await client
      .call('getModel', { params: { model_name: 'ghost' as never } })
      .catch((refusal: unknown) => refusal);
    expect(error).toBeInstanceOf(tenantml.ModelNotFoundError);
    expect(error).toMatchObject({
      ...{ code: 'MODEL_NOT_FOUND', status: 404, message: 'no model ghost', errorType: 'MODEL_NOT_FOUND' },
      modelId: 'ghost',
    });
  });

  it('ModelNotFoundError: named also where the model is in the body', async () => {
    const { port } = server.address() as AddressInfo;
    const client = new tenantml.HttpClient(`http://127.0.0.1:${port}`, async () => 'token');
    const body = { model_name: 'spirit', dataset_id: 'd'.repeat(64) } as never;
    await expect(client.call('batchPredict', { body })).rejects.toMatchObject({ modelId: 'spirit' });
  });

  it('UnreachableError: nobody at the address', async () => {
    const client = new tenantml.HttpClient('http://127.0.0.1:9', async () => 'token');
    const error = await client.call('health', {}).catch((failure: unknown) => failure);
    expect(error).toBeInstanceOf(tenantml.UnreachableError);
    expect(error).toMatchObject({ code: 'UNREACHABLE', name: 'UnreachableError' });
  });
});
