import { describe, expect, it } from 'vitest';
import { exportOnnx } from '../../../src/ml/onnx/export-onnx.ts';
import { ChoosingExecutor } from '../../../src/serving/choosing-executor.ts';
import { TypeScriptExecutor } from '../../../src/serving/graph/typescript-executor.ts';
import type { LoadedModel, ModelExecutor } from '../../../src/serving/model-executor.ts';
import { torchPerceptron, treeClassifier } from '../ml/onnx/brought-models.ts';
import { onnxFile } from '../ml/onnx/onnx-file.ts';
import { fitted } from '../ml/support/fitting.ts';
import { randomTable } from '../ml/support/random-table.ts';

class CountingExecutor implements ModelExecutor {
  nLoads = 0;

  load(): Promise<LoadedModel> {
    this.nLoads++;
    return Promise.resolve({
      executor: 'onnxruntime',
      residentBytes: 1,
      run: () => ({ values: new Float32Array() }),
      release: () => Promise.resolve(),
    });
  }
}

describe('choosing an executor', () => {
  it('does not ask the other one for a graph of ours', async () => {
    const other = new CountingExecutor();
    const model = fitted(randomTable({ nRows: 100 }), { algorithm: 'ridge', task: 'regression' });
    const loaded = await new ChoosingExecutor(new TypeScriptExecutor(), other).load(exportOnnx(model));
    expect([loaded.executor, other.nLoads]).toEqual(['typescript', 0]);
  });

  it.each([
    ['torch', torchPerceptron],
    ['scikit-learn', treeClassifier],
  ])('asks the other one for a graph of %s', async (_, sketch) => {
    const other = new CountingExecutor();
    const loaded = await new ChoosingExecutor(new TypeScriptExecutor(), other).load(onnxFile(sketch));
    expect([loaded.executor, other.nLoads]).toEqual(['onnxruntime', 1]);
  });

  it('refuses what is no model without asking anybody', async () => {
    const other = new CountingExecutor();
    const executor = new ChoosingExecutor(new TypeScriptExecutor(), other);
    await expect(executor.load(new Uint8Array(64))).rejects.toMatchObject({ code: 'MODEL_LOAD_FAILED' });
    expect(other.nLoads).toBe(0);
  });
});
