/** What the inspection says of good files is what onnxruntime makes of them. */
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { inspectModel } from '../../src/ml/onnx/inspect/inspect-model.ts';
import type { InspectedValue, Inspection } from '../../src/ml/onnx/inspect/inspection.ts';
import { goodModels } from '../unit/ml/onnx/brought-models.ts';
import { onnxFile } from '../unit/ml/onnx/onnx-file.ts';

const N_ROWS = 3;

function tensorOf({ elementType, shape }: InspectedValue): ort.Tensor {
  const dims = shape.map((size) => (size < 0 ? N_ROWS : size));
  const count = dims.reduce((product, size) => product * size, 1);
  if (elementType === 'string') return new ort.Tensor('string', new Array<string>(count).fill('Bern'), dims);
  return new ort.Tensor(
    'float32',
    Float32Array.from({ length: count }, (_, i) => i / 4),
    dims,
  );
}

describe.each(Object.entries(goodModels))('%s', (_, sketch) => {
  it('is accepted, and gives in onnxruntime the types and shapes that were foretold', async () => {
    const bytes = onnxFile(sketch);
    const inspection = inspectModel(bytes) as Inspection;
    expect(inspection).toMatchObject({ kind: 'accepted' });
    const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
    const feeds = Object.fromEntries(inspection.inputs.map((input) => [input.name, tensorOf(input)]));
    const results = await session.run(feeds);
    for (const { name, elementType, shape } of inspection.outputs) {
      const result = results[name]!;
      const types: Record<string, string> = { float: 'float32', double: 'float64' };
      expect(result.type).toBe(types[elementType] ?? elementType);
      expect(result.dims).toEqual(shape.map((size) => (size < 0 ? N_ROWS : size)));
    }
    await session.release();
  });
});
