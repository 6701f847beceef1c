/** A table as one file: a line of JSON about the columns, then their bytes. */
import { readFileSync, writeFileSync } from 'node:fs';
import type { Column, Table } from '../src/ml/table.ts';

interface Header {
  readonly nRows: number;
  readonly columns: readonly { name: string; type: Column['type']; categories?: readonly string[] }[];
}

export function writeTable(file: string, table: Table): void {
  const header: Header = {
    nRows: table.nRows,
    columns: table.columns.map((column) =>
      column.type === 'category'
        ? { name: column.name, type: column.type, categories: column.categories }
        : { name: column.name, type: column.type },
    ),
  };
  const bytes = table.columns.map((column) => {
    const { buffer, byteOffset, byteLength } = column.type === 'category' ? column.codes : column.values;
    return new Uint8Array(buffer, byteOffset, byteLength);
  });
  writeFileSync(file, Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), ...bytes]));
}

export function readTable(file: string): Table {
  const bytes = readFileSync(file);
  const end = bytes.indexOf(10);
  const header = JSON.parse(bytes.toString('utf8', 0, end)) as Header;
  let offset = end + 1;
  // Copies, so that columns are aligned and the file's bytes can go.
  const take = (length: number) => {
    const copy = new Uint8Array(bytes.subarray(offset, offset + length));
    offset += length;
    return copy.buffer;
  };
  const columns = header.columns.map(({ name, type, categories }): Column => {
    if (type === 'category')
      return { name, type, codes: new Int32Array(take(4 * header.nRows)), categories: categories! };
    return { name, type, values: new Float64Array(take(8 * header.nRows)) };
  });
  return { nRows: header.nRows, columns };
}
