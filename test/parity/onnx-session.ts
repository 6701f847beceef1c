/** Runs an exported graph in onnxruntime on a table, as the platform will feed it. */
import * as ort from 'onnxruntime-node';
import { MISSING_DATE } from '../../src/ml/onnx/calendar-columns.ts';
import { exportOnnx, onnxInputs } from '../../src/ml/onnx/export-onnx.ts';
import type { PipelineModel } from '../../src/ml/pipeline.ts';
import { type Column, columnNamed, type Table } from '../../src/ml/table.ts';

export async function runOnnx(
  model: PipelineModel,
  table: Table,
): Promise<ort.InferenceSession.OnnxValueMapType> {
  const session = await ort.InferenceSession.create(exportOnnx(model), { graphOptimizationLevel: 'all' });
  const feeds: Record<string, ort.Tensor> = {};
  for (const { name, input } of onnxInputs(model)) feeds[input] = tensorOf(columnNamed(table, name)!);
  return await session.run(feeds);
}

function tensorOf(column: Column): ort.Tensor {
  if (column.type === 'category') {
    const text = Array.from(column.codes, (code) => (code < 0 ? '' : column.categories[code]!));
    return new ort.Tensor('string', text, [text.length, 1]);
  }
  const shape = [column.values.length, 1];
  if (column.type === 'date') {
    const dates = BigInt64Array.from(column.values, (value) =>
      Number.isNaN(value) ? MISSING_DATE : BigInt(value),
    );
    return new ort.Tensor('int64', dates, shape);
  }
  return new ort.Tensor('float32', Float32Array.from(column.values), shape);
}
