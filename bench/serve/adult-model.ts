/** The model that serving is measured with: adult, boosting of 100 trees with 31 leaves, and rows to ask about. */
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelManifest } from '../../src/contracts/models.ts';
import { exportOnnx, onnxInputs } from '../../src/ml/onnx/export-onnx.ts';
import { fitPipeline, type PipelineModel } from '../../src/ml/pipeline.ts';
import { type Table, takeRows } from '../../src/ml/table.ts';
import { benchmarkSets, preparedFolder, trainAndTestRows } from '../benchmark-set.ts';
import { readTable } from '../table-file.ts';

export interface BenchModel {
  readonly model: PipelineModel;
  readonly graph: Uint8Array;
  readonly manifest: ModelManifest;
  readonly test: Table;
  /** Folder of the prepared set, with the peers' files. */
  readonly prepared: string;
}

/** @throws Error that names the missing file */
export async function adultModel(dataFolder: string): Promise<BenchModel> {
  const prepared = await preparedFolder(benchmarkSets.find(({ name }) => name === 'adult')!, dataFolder);
  const table = readTable(join(prepared, 'table.bin'));
  const { train, test } = trainAndTestRows(table.nRows);
  const fit = fitPipeline(takeRows(table, train), {
    ...{ task: 'classification', target: 'income', algorithm: 'gradient_boosting', randomState: 0 },
    hyperparameters: { n_estimators: 100, max_leaf_nodes: 31, min_samples_leaf: 20 },
  });
  if (!fit.done) throw new Error('the fit paused though nobody asked it to');
  const graph = exportOnnx(fit.model);
  const manifest = {
    ...{ model_name: 'income', build_id: 'bench', task: 'classification', algorithm: 'gradient_boosting' },
    ...{ features: onnxInputs(fit.model), classes: [...fit.model.classes!], metrics: {} },
    artifact: {
      format: 'onnx',
      sha256: createHash('sha256').update(graph).digest('hex'),
      bytes: graph.length,
    },
  } as unknown as ModelManifest;
  return { model: fit.model, graph, manifest, prepared, test: takeRows(table, test) };
}

/** Puts the model where the model server finds it. */
export function writeModelFolder(folder: string, { graph, manifest }: BenchModel): void {
  const at = join(folder, 'income', '1.0.0');
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, 'model.onnx'), graph);
  writeFileSync(join(at, 'manifest.json'), JSON.stringify(manifest));
}

/** @returns rows as a caller sends them */
export function recordsOf(model: PipelineModel, table: Table, nRows: number): Record<string, unknown>[] {
  return Array.from({ length: nRows }, (_, i) => {
    const row = i % table.nRows;
    const record: Record<string, unknown> = {};
    for (const { name } of model.features) {
      const column = table.columns.find((one) => one.name === name)!;
      if (column.type === 'category') record[name] = column.categories[column.codes[row]!] ?? null;
      else record[name] = Number.isNaN(column.values[row]!) ? null : column.values[row]!;
    }
    return record;
  });
}
