import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { parse as parseCsv } from 'csv-parse/sync';
import type { HttpClient } from '../../client/http-client.ts';
import { missingTexts } from '../../contracts/datasets.ts';
import type { Environment } from '../../contracts/environment-names.ts';
import type { FeatureSpec } from '../../contracts/models.ts';
import { maxPredictRows, type Prediction } from '../../contracts/prediction.ts';
import { UsageError } from '../exit-code.ts';
import { type Output, print, printJson, table } from '../output.ts';

export interface PredictOptions extends Output {
  readonly input?: string;
  readonly file?: string;
  readonly environment?: Environment;
}

/** Predicts for a JSON text, or for the rows of a file (.json, .jsonl or .csv; `-` is JSON from stdin). */
export async function predict(client: HttpClient, name: string, options: PredictOptions): Promise<void> {
  if ((options.input === undefined) === (options.file === undefined)) {
    throw new UsageError('give either --input JSON or --file FILE');
  }
  const inputData =
    options.input !== undefined ? jsonOf(options.input, '--input') : await rowsOfFile(client, name, options);
  const results: Prediction[] = [];
  const chunks = isRows(inputData) ? chunksOf(inputData, maxPredictRows) : [inputData];
  for (const chunk of chunks) {
    const answer = await client.call('predict', {
      params: { model_name: name as never },
      query: options.environment === undefined ? {} : { environment: options.environment },
      body: { input_data: chunk as never },
    });
    results.push(...[answer as Prediction | Prediction[]].flat());
  }
  if (options.json) printJson(isRows(inputData) ? results : results[0]);
  else print(resultTable(results));
}

const isRows = (input: unknown): input is unknown[] =>
  Array.isArray(input) && input.length > 0 && typeof input[0] === 'object' && input[0] !== null;

const chunksOf = <Item>(items: readonly Item[], size: number): Item[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) => items.slice(i * size, (i + 1) * size));

function jsonOf(source: string, place: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw new UsageError(`${place} is not JSON; write it like '{"age": 42}'`);
  }
}

async function rowsOfFile(
  client: HttpClient,
  name: string,
  { file = '-', environment }: PredictOptions,
): Promise<unknown> {
  if (file === '-') return jsonOf(await text(process.stdin), 'stdin');
  const source = await readFile(file, 'utf8').catch(() => {
    throw new UsageError(`${file}: no such file`);
  });
  if (/\.(jsonl|ndjson)$/i.test(file)) {
    return source
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line, i) => jsonOf(line, `${file} line ${i + 1}`));
  }
  if (!/\.csv$/i.test(file)) return jsonOf(source, file);
  const { manifest } = await client.call('getModelMetadata', {
    params: { model_name: name as never },
    query: environment === undefined ? {} : { version: environment },
  });
  return csvRows(source, manifest.features);
}

/** @returns the rows with their fields as the model's features want them; others as text */
export function csvRows(source: string, features: readonly FeatureSpec[]): Record<string, unknown>[] {
  const typeOf = new Map(features.map(({ name, type }) => [name, type]));
  const records = parseCsv(source, { columns: true, bom: true, skip_empty_lines: true }) as Record<
    string,
    string
  >[];
  // Other columns go along as text: the server ignores them, but knows a misspelt feature when it sees one.
  return records.map((record) =>
    Object.fromEntries(
      Object.entries(record).map(([name, value]) => [name, cellValue(value, typeOf.get(name) ?? 'category')]),
    ),
  );
}

const missing = new Set(missingTexts);

function cellValue(value: string, type: FeatureSpec['type']): unknown {
  if (missing.has(value)) return null;
  if (type === 'boolean')
    return /^(true|t|1|yes)$/i.test(value) ? true : /^(false|f|0|no)$/i.test(value) ? false : value;
  const number = Number(value);
  return type === 'number' && !Number.isNaN(number) ? number : value;
}

function resultTable(results: readonly Prediction[]): string {
  const rows = results.map(({ prediction, confidence, model_version, prediction_id }) => [
    typeof prediction === 'number' ? Number(prediction.toPrecision(8)) : String(prediction),
    confidence === undefined ? undefined : confidence.toFixed(4),
    model_version,
    prediction_id,
  ]);
  const withConfidence = results.some(({ confidence }) => confidence !== undefined);
  const header = ['prediction', ...(withConfidence ? ['confidence'] : []), 'version', 'prediction_id'];
  return table(header, withConfidence ? rows : rows.map(([prediction, , ...rest]) => [prediction, ...rest]));
}
