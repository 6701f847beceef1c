/** What the peers read: float32 rows, a category as its index among the sorted distinct strings, NaN for missing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { columnNamed, type Table } from '../src/ml/table.ts';
import type { BenchmarkSet } from './set-description.ts';

export function writePeerFiles(folder: string, table: Table, { task, target }: BenchmarkSet): void {
  const features = table.columns.filter((column) => column.name !== target);
  const X = new Float32Array(table.nRows * features.length);
  features.forEach((column, j) => {
    for (let row = 0; row < table.nRows; row++) {
      const value = column.type === 'category' ? column.codes[row]! : column.values[row]!;
      X[row * features.length + j] = column.type === 'category' && value < 0 ? Number.NaN : value;
    }
  });
  const y = columnNamed(table, target)!;
  const targets = y.type === 'category' ? Float32Array.from(y.codes) : Float32Array.from(y.values);
  writeFileSync(join(folder, 'X.f32'), X);
  writeFileSync(join(folder, 'y.f32'), targets);
  const description = {
    task,
    n_rows: table.nRows,
    n_features: features.length,
    n_classes: y.type === 'category' ? y.categories.length : 0,
    categorical: features.flatMap((column, j) => (column.type === 'category' ? [j] : [])),
  };
  writeFileSync(join(folder, 'set.json'), JSON.stringify(description));
}
