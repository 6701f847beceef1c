import type { FeatureSpec } from '../contracts/models.ts';
import { type FieldError, ValidationError } from '../errors.ts';
import { editDistance } from '../ml/nearest-name.ts';
import { emptyBatch, type FeatureBatch, type FeatureValues, isMissing } from './feature-batch.ts';

/** Most rows of one call. */
export const maxRows = 1_000;
const maxReported = 20;
/** Of the names that no feature has, so many are compared with the features in one call. */
const maxCompared = 200;

export class InvalidInputError extends ValidationError {
  constructor(message: string, errors: readonly FieldError[] = []) {
    super(message, { code: 'INVALID_INPUT', errors });
  }
}

/** @returns the refusal of more rows than one call may have */
export const tooManyRows = (name: string, nRows: number) =>
  new ValidationError(
    `${name} has ${nRows} rows; send at most ${maxRows} in one call, or score a dataset with POST /api/v1/ml/batch-predict`,
    { code: 'TOO_MANY_ROWS' },
  );

export type Row = Record<string, unknown> | unknown[];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * @param sent an object, an array of values in feature order, or a list of either
 * @returns the rows, and whether a list was sent
 * @throws {InvalidInputError}
 * @throws {ValidationError} TOO_MANY_ROWS
 */
export function rowsOf(sent: unknown): { rows: readonly Row[]; isList: boolean } {
  if (isObject(sent)) return { rows: [sent], isList: false };
  if (!Array.isArray(sent)) {
    throw new InvalidInputError(
      'input_data must be an object of features, an array of values in feature order, or a list of either',
      [{ pointer: '/input_data', detail: `got ${kindOf(sent)}` }],
    );
  }
  if (sent.length === 0) {
    throw new InvalidInputError('input_data is empty; send at least one row', [
      { pointer: '/input_data', detail: 'empty' },
    ]);
  }
  const isList = isObject(sent[0]) || Array.isArray(sent[0]);
  if (!isList) return { rows: [sent], isList: false };
  if (sent.length > maxRows) {
    throw tooManyRows('input_data', sent.length);
  }
  const bad = sent.findIndex((row) => !isObject(row) && !Array.isArray(row));
  if (bad >= 0) {
    throw new InvalidInputError(`input_data row ${bad} must be an object or an array, as the first row is`, [
      { pointer: `/input_data/${bad}`, detail: `got ${kindOf(sent[bad])}` },
    ]);
  }
  return { rows: sent as Row[], isList: true };
}

/** Where rows come from: how errors point at them, and which value of an array belongs to which feature. */
export interface RowSource {
  /** JSON pointer of a row. */
  readonly pointerOf: (row: number) => string;
  /** Names of the values of rows that are arrays. @default - the features, in order */
  readonly columns?: readonly string[];
  /** Whether a value may be missing. @default true */
  readonly mayMiss?: boolean;
}

/** @returns how errors point into `input_data`, which may be one row or a list */
export const inputData = (isList: boolean, root = '/input_data'): RowSource => ({
  pointerOf: isList ? (row) => `${root}/${row}` : () => root,
});

/**
 * @returns the rows by columns; what is left out, null or empty is missing
 * @throws {InvalidInputError} naming every field of the wrong type, at most 20
 */
export function batchOfRows(
  features: readonly FeatureSpec[],
  rows: readonly Row[],
  source: RowSource,
): FeatureBatch {
  const batch = emptyBatch(features, rows.length);
  const reader = new RowReader(features, source);
  for (let i = 0; i < rows.length && reader.errors.length < maxReported; i++)
    reader.read(batch, i, rows[i]!, i);
  if (reader.errors.length > 0) throw invalid(reader.errors);
  return batch;
}

/** A batch of the rows that could be read, and what is wrong with the others. */
export interface PartialBatch {
  readonly batch: FeatureBatch;
  /** Positions of the rows of the batch among those sent. */
  readonly readable: readonly number[];
  /** By position. */
  readonly refused: ReadonlyMap<number, InvalidInputError>;
}

/** As `batchOfRows`, but a row that cannot be read does not keep the others from being predicted. */
export function readableRows(
  features: readonly FeatureSpec[],
  rows: readonly unknown[],
  source: RowSource,
): PartialBatch {
  const refused = new Map<number, InvalidInputError>();
  const readable: number[] = [];
  const scratch = emptyBatch(features, rows.length);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i];
    const reader = new RowReader(features, source);
    if (isObject(row) || Array.isArray(row)) reader.read(scratch, i, row, i);
    else
      reader.errors.push({
        pointer: source.pointerOf(i),
        detail: `must be an object or an array, got ${kindOf(row)}`,
      });
    if (reader.errors.length === 0) readable.push(i);
    else refused.set(i, invalid(reader.errors));
  }
  if (refused.size === 0) return { batch: scratch, readable, refused };
  const batch = emptyBatch(features, readable.length);
  const reader = new RowReader(features, source);
  for (const [to, from] of readable.entries()) reader.read(batch, to, rows[from] as Row, from);
  return { batch, readable, refused };
}

const invalid = (errors: readonly FieldError[]): InvalidInputError =>
  new InvalidInputError(`${errors[0]!.pointer.slice(1)}: ${errors[0]!.detail}`, errors);

class RowReader {
  readonly errors: FieldError[] = [];
  readonly #features: readonly FeatureSpec[];
  readonly #source: RowSource;
  /** Position in an array of each feature's value; -1 where there is none. */
  readonly #positions: readonly number[] | undefined;
  #extraFields: ExtraFields | undefined;

  constructor(features: readonly FeatureSpec[], source: RowSource) {
    this.#features = features;
    this.#source = source;
    const { columns } = source;
    if (columns !== undefined) {
      const positions = new Map(columns.map((name, position) => [name, position]));
      this.#positions = features.map(({ name }) => positions.get(name) ?? -1);
    }
  }

  /** @param at the row's position among those sent, for errors */
  read(batch: FeatureBatch, to: number, row: Row, at: number): void {
    if (Array.isArray(row)) this.#readArray(batch, to, row, at);
    else this.#readObject(batch, to, row, at);
    if (this.#source.mayMiss === false && this.errors.length === 0) this.#refuseMissing(batch, to, at);
  }

  #refuseMissing(batch: FeatureBatch, to: number, at: number): void {
    for (const [j, { name }] of this.#features.entries())
      if (isMissing(batch.features[j]!, to))
        this.#refuse(at, name, `${name} is missing, and the imported graph takes no missing values`);
  }

  #readArray(batch: FeatureBatch, to: number, row: readonly unknown[], at: number): void {
    const features = this.#features;
    const expected = this.#source.columns?.length ?? features.length;
    if (row.length !== expected) {
      const takes =
        this.#source.columns === undefined
          ? `the model takes ${expected}: ${listOf(features)}`
          : `there are ${expected} columns`;
      this.#refuse(at, undefined, `${row.length} values, ${takes}`);
      return;
    }
    for (let j = 0; j < features.length; j++) {
      const position = this.#positions === undefined ? j : this.#positions[j]!;
      if (position < 0) continue;
      const expected = putValue(batch.features[j]!, to, row[position], features[j]!);
      if (expected !== undefined)
        this.#refuseValue(at, String(position), features[j]!, expected, row[position]);
    }
  }

  #readObject(batch: FeatureBatch, to: number, row: Record<string, unknown>, at: number): void {
    const features = this.#features;
    let used = 0;
    for (let j = 0; j < features.length; j++) {
      const feature = features[j]!;
      const value = row[feature.name];
      if (value === undefined || !Object.hasOwn(row, feature.name)) continue;
      used++;
      const expected = putValue(batch.features[j]!, to, value, feature);
      if (expected !== undefined) this.#refuseValue(at, feature.name, feature, expected, value);
    }
    if (used === 0 || used < Object.keys(row).length) {
      this.#extraFields ??= new ExtraFields(features);
      const room = maxReported - this.errors.length;
      for (const { field, detail } of this.#extraFields.problems(row, used > 0).slice(0, room))
        this.#refuse(at, field, detail);
    }
  }

  #refuseValue(at: number, part: string, feature: FeatureSpec, expected: string, value: unknown): void {
    this.#refuse(at, part, `${feature.name} must be ${expected}, got ${kindOf(value)}`);
  }

  #refuse(at: number, part: string | undefined, detail: string): void {
    if (this.errors.length >= maxReported) return;
    const pointer = this.#source.pointerOf(at);
    this.errors.push({ pointer: part === undefined ? pointer : `${pointer}/${pointerPart(part)}`, detail });
  }
}

/**
 * Sets the value of one feature of one row; null and empty text leave it missing, and so does pandas' NaT a date.
 * @returns what it had to be, when it is not
 */
export function putValue(
  values: FeatureValues,
  row: number,
  value: unknown,
  feature: FeatureSpec,
): string | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  if (values.kind === 'string') {
    if (typeof value === 'object') return 'text';
    // Rounded on its way here: the graph would take it for another category.
    if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER)
      return 'text, or a number within ±(2^53 - 1)';
    const text = String(value);
    // onnxruntime ends a text at NUL: the graph would take it for another category.
    if (text.includes('\0')) return 'text without the character NUL';
    values.data[row] = text;
  } else if (values.kind === 'int64') {
    if (value === 'NaT') return undefined;
    const epochMs =
      typeof value === 'number' ? value : typeof value === 'string' ? epochMsOf(value) : Number.NaN;
    // Beyond ±8.64e15 ms there are no dates.
    if (!(Math.abs(epochMs) <= 8.64e15)) return 'a date: RFC 3339 text or epoch milliseconds';
    values.data[row] = BigInt(Math.round(epochMs));
  } else if (feature.type === 'boolean') {
    if (value === true || value === 1) values.data[row] = 1;
    else if (value === false || value === 0) values.data[row] = 0;
    else return 'true or false';
  } else {
    if (typeof value !== 'number') return 'a number';
    const single = Math.fround(value);
    if (!Number.isFinite(single)) return 'a number within ±3.4e38';
    values.data[row] = single;
  }
  return undefined;
}

const dateText =
  /^(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(?:([Zz])|([+-]\d{2}):?(\d{2}))?)?$/;

/**
 * Read as training reads it: without an offset it is UTC, wherever the function runs. `Date.parse` alone would
 * take local time, and find a date in texts such as "ticket 5".
 */
function epochMsOf(text: string): number {
  const [, day, time = '00:00', , hours, minutes] = dateText.exec(text.trim()) ?? [];
  if (day === undefined) return Number.NaN;
  const epochMs = Date.parse(`${day}T${time}${hours === undefined ? 'Z' : `${hours}:${minutes}`}`);
  // V8 takes 30 February for 1 March.
  const isRealDay = new Date(`${day}T00:00Z`).toJSON()?.startsWith(day);
  return isRealDay ? epochMs : Number.NaN;
}

/**
 * Fields that no feature has are ignored, but a misspelt feature would be taken for a missing one. Rows of a list
 * have mostly the same fields, so each name is compared with the features once a call.
 */
class ExtraFields {
  readonly #features: readonly FeatureSpec[];
  readonly #known: ReadonlySet<string>;
  readonly #meantBy = new Map<string, string | undefined>();

  constructor(features: readonly FeatureSpec[]) {
    this.#features = features;
    this.#known = new Set(features.map(({ name }) => name));
  }

  problems(row: Record<string, unknown>, hasFeature: boolean): { field?: string; detail: string }[] {
    const problems: { field?: string; detail: string }[] = [];
    for (const name of Object.keys(row)) {
      if (this.#known.has(name)) continue;
      const meant = this.#meant(name);
      if (meant !== undefined && !Object.hasOwn(row, meant)) {
        problems.push({
          field: name,
          detail: `there is no feature ${JSON.stringify(name)}; did you mean ${JSON.stringify(meant)}?`,
        });
      }
    }
    // An empty row is one of which everything is missing.
    if (!hasFeature && Object.keys(row).length > 0) {
      problems.push({ detail: `no field is a feature of the model; it takes ${listOf(this.#features)}` });
    }
    return problems;
  }

  #meant(name: string): string | undefined {
    if (!this.#meantBy.has(name) && this.#meantBy.size < maxCompared) {
      this.#meantBy.set(name, this.#features.find((feature) => isMisspelling(name, feature.name))?.name);
    }
    return this.#meantBy.get(name);
  }
}

/** A name as a part of a JSON pointer. */
const pointerPart = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const folded = (name: string): string => name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '');

/** The same letters in another case or with other separators, or one letter more, less or different. */
function isMisspelling(a: string, b: string): boolean {
  const x = folded(a);
  const y = folded(b);
  if (Math.abs(x.length - y.length) > 1) return false;
  return x === y || (Math.min(x.length, y.length) >= 4 && editDistance(x, y) <= 1);
}

export const listOf = (features: readonly FeatureSpec[]): string => {
  const names = features.slice(0, 20).map(({ name }) => name);
  return features.length > 20 ? `${names.join(', ')}, … (${features.length})` : names.join(', ');
};

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return `text ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value === 'object') return 'an object';
  return `${typeof value} ${String(value)}`;
}
