/** MLflow's scoring protocol, which SageMaker's containers speak as well: `/ping` and `/invocations`. */
import type { FeatureSpec, ModelManifest } from '../../contracts/models.ts';
import { ValidationError } from '../../errors.ts';
import type { FeatureBatch } from '../feature-batch.ts';
import { parseJson, textOf, unpacked } from '../http/message-body.ts';
import type { ServingRequest } from '../http/serving-message.ts';
import { batchOfRows, InvalidInputError, maxRows, type Row, tooManyRows } from '../input-rows.ts';
import type { ReadBatch } from '../predictor.ts';
import { labelOf, type Scored } from '../served-model.ts';

export interface Invocation {
  readonly read: ReadBatch;
  readonly method: 'predict' | 'predict_proba';
}

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const forms = ['dataframe_split', 'dataframe_records', 'instances', 'inputs'] as const;

/** @throws {ValidationError} UNSUPPORTED_MEDIA_TYPE and what a body of the type may break */
export async function invocation(request: ServingRequest): Promise<Invocation> {
  const contentType = request.headers['content-type'] ?? 'application/json';
  const [mediaType = '', ...parameters] = contentType.split(';').map((part) => part.trim().toLowerCase());
  const isUtf8 = parameters.every((parameter) => /^(charset="?utf-?8"?)?$/.test(parameter));
  if (isUtf8 && mediaType === 'text/csv') return csvInvocation(textOf(unpacked(request)));
  if (isUtf8 && mediaType === 'application/json') return jsonInvocation(parseJson(textOf(unpacked(request))));
  throw new ValidationError(
    `content-type is ${contentType.slice(0, 80)}; send application/json or text/csv, with no parameter but charset=utf-8`,
    { code: 'UNSUPPORTED_MEDIA_TYPE' },
  );
}

function jsonInvocation(body: unknown): Invocation {
  const found = isFields(body) ? forms.filter((form) => Object.hasOwn(body, form)) : [];
  if (!isFields(body) || found.length !== 1) {
    throw new InvalidInputError(
      `body must be an object with exactly one of ${forms.join(', ')}; it has ${found.length === 0 ? 'none' : found.join(' and ')}`,
    );
  }
  const form = found[0]!;
  const sent = body[form];
  return { read: readers[form](sent), method: methodOf(body.params) };
}

/** scikit-learn's name for what the caller wants of a classifier; other parameters are ignored, as MLflow does. */
function methodOf(params: unknown): Invocation['method'] {
  const method = isFields(params) ? params.predict_method : undefined;
  if (method === undefined || method === 'predict') return 'predict';
  if (method === 'predict_proba') return method;
  throw new InvalidInputError('params/predict_method must be predict or predict_proba', [
    { pointer: '/params/predict_method', detail: 'unknown' },
  ]);
}

const readers: Readonly<Record<(typeof forms)[number], (sent: unknown) => ReadBatch>> = {
  dataframe_split(sent) {
    const { columns, data } = isFields(sent) ? sent : {};
    if (!Array.isArray(data) || !(columns === undefined || isNames(columns)))
      throw invalid(
        'dataframe_split',
        'must be an object with columns, a list of names, and data, a list of rows',
      );
    return rowReader('dataframe_split/data', data, columns);
  },
  dataframe_records: (sent) => rowReader('dataframe_records', sent),
  /** Rows: objects, arrays in feature order, or single values for a model of one feature. */
  instances: (sent) => rowReader('instances', rowsOfScalars(sent)),
  /** Columns by name, or a matrix in feature order. */
  inputs(sent) {
    if (!isFields(sent)) return rowReader('inputs', rowsOfScalars(sent));
    const columns = Object.keys(sent);
    const values = Object.values(sent).map((column) =>
      Array.isArray(column) ? column.map(onlyOf) : [column],
    );
    const nRows = values[0]?.length ?? 0;
    if (nRows > maxRows) throw tooManyRows('inputs', nRows);
    const uneven = values.findIndex((column) => column.length !== nRows);
    if (uneven >= 0)
      throw invalid(
        `inputs/${columns[uneven]}`,
        `has ${values[uneven]!.length} values, ${columns[0]} has ${nRows}`,
      );
    const rows = Array.from({ length: nRows }, (_, i) => values.map((column) => column[i]));
    return rowReader('inputs', rows, columns);
  },
};

const rowsOfScalars = (sent: unknown): unknown =>
  Array.isArray(sent) ? sent.map((one) => (isScalar(one) ? [one] : one)) : sent;
const isScalar = (value: unknown): boolean => typeof value !== 'object' || value === null;
const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string');
/** A column of shape [N, 1] is one of N values. */
const onlyOf = (value: unknown): unknown => (Array.isArray(value) && value.length === 1 ? value[0] : value);

const invalid = (at: string, detail: string) =>
  new InvalidInputError(`${at}: ${detail}`, [{ pointer: `/${at}`, detail }]);

function rowReader(at: string, rows: unknown, columns?: readonly string[]): ReadBatch {
  if (!Array.isArray(rows) || rows.length === 0) throw invalid(at, 'must be a list of at least one row');
  if (rows.length > maxRows) throw tooManyRows(at, rows.length);
  const odd = rows.findIndex(isScalar);
  if (odd >= 0) throw invalid(`${at}/${odd}`, 'must be a row: an object or an array');
  if (columns !== undefined && new Set(columns).size < columns.length)
    throw invalid(at, 'two columns have the same name');
  return ({ features }) => {
    if (columns !== undefined) checkColumns(at, columns, features);
    return batchOfRows(features, rows as Row[], {
      pointerOf: (row) => `/${at}/${row}`,
      ...(columns === undefined ? {} : { columns }),
    });
  };
}

function checkColumns(at: string, columns: readonly string[], features: readonly FeatureSpec[]): void {
  const names = new Set(columns);
  if (features.some(({ name }) => names.has(name))) return;
  throw invalid(
    at,
    `no column is a feature of the model; it takes ${features
      .map(({ name }) => name)
      .slice(0, 20)
      .join(', ')}`,
  );
}

/** The first line names the columns; other lines are rows. An empty value is missing. */
async function csvInvocation(text: string): Promise<Invocation> {
  // Most calls are JSON.
  const { parse } = await import('csv-parse/sync');
  let lines: string[][];
  try {
    lines = parse(text, { bom: true, skip_empty_lines: true, to: maxRows + 2, relax_column_count: true });
  } catch (error) {
    throw new InvalidInputError(`body is not CSV: ${(error as { code?: string }).code ?? 'malformed'}`);
  }
  const [columns, ...rows] = lines;
  if (columns === undefined || rows.length === 0)
    throw new InvalidInputError(
      'body has no rows; send a line of column names and at least one line of values',
    );
  if (rows.length > maxRows) throw tooManyRows('body', rows.length);
  const read = (features: readonly FeatureSpec[]): FeatureBatch => {
    checkColumns('body', columns, features);
    const typeOf = new Map(features.map(({ name, type }) => [name, type]));
    // Others may repeat: spreadsheets end lines in empty columns.
    const twice = columns.find((name, j) => typeOf.has(name) && columns.indexOf(name) !== j);
    if (twice !== undefined) throw invalid('line 1', `two columns are named ${twice}`);
    const types = columns.map((name) => typeOf.get(name));
    const values = rows.map((row) => row.map((cell, j) => cellOf(cell, types[j])));
    return batchOfRows(features, values, { pointerOf: (row) => `/line ${row + 2}`, columns });
  };
  return { read: ({ features }) => read(features), method: 'predict' };
}

/** How pandas and others write that there is no value; in a text they are words. */
const missingWord = /^(nan|nat|na|null|none)?$/i;

/** A cell as JSON would have sent it; what cannot be read stays text, and is refused as such. */
function cellOf(cell: string, type: FeatureSpec['type'] | undefined): unknown {
  if (type === undefined || type === 'category') return cell;
  const text = cell.trim();
  if (missingWord.test(text)) return null;
  if (type === 'number') {
    const number = Number(text);
    return Number.isNaN(number) ? cell : number;
  }
  if (type === 'boolean') {
    if (/^(true|1|1\.0)$/i.test(text)) return true;
    return /^(false|0|0\.0)$/i.test(text) ? false : cell;
  }
  return text;
}

/**
 * Before the model is run: what is refused afterwards has been logged as a prediction.
 * @throws {InvalidInputError} for probabilities of a graph that gives labels alone
 */
export function checkMethod({ imported }: ModelManifest, method: Invocation['method']): void {
  if (method === 'predict' || imported?.label === undefined || imported.probabilities !== undefined) return;
  throw new InvalidInputError(
    'params/predict_method: the model gives labels and no probabilities; ask for predict',
    [{ pointer: '/params/predict_method', detail: 'not available' }],
  );
}

/** @returns the answer's `predictions`: labels or values, or rows of probabilities */
export function predictionsOf({ manifest, output, ids }: Scored, method: Invocation['method']): unknown[] {
  const { classes } = manifest;
  if (output.values !== undefined) return Array.from(output.values);
  const all = output.probabilities;
  const n = classes?.length ?? 0;
  return ids.map((_, row) =>
    method === 'predict' ? labelOf(output, classes, row) : Array.from(all!.subarray(row * n, (row + 1) * n)),
  );
}
