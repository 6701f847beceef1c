import type { FeatureSpec } from '../contracts/models.ts';
import { type FieldError, ValidationError } from '../errors.ts';
import { editDistance } from '../ml/nearest-name.ts';
import { emptyBatch, type FeatureBatch, type FeatureValues } from './feature-batch.ts';

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

type Row = Record<string, unknown> | unknown[];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * @param inputData an object, an array of values in feature order, or a list of either
 * @returns the rows, and whether a list was sent
 * @throws {InvalidInputError}
 * @throws {ValidationError} TOO_MANY_ROWS
 */
export function rowsOf(inputData: unknown): { rows: readonly Row[]; isList: boolean } {
  if (isObject(inputData)) return { rows: [inputData], isList: false };
  if (!Array.isArray(inputData)) {
    throw new InvalidInputError(
      'input_data must be an object of features, an array of values in feature order, or a list of either',
      [{ pointer: '/input_data', detail: `got ${kindOf(inputData)}` }],
    );
  }
  if (inputData.length === 0) {
    throw new InvalidInputError('input_data is empty; send at least one row', [
      { pointer: '/input_data', detail: 'empty' },
    ]);
  }
  const isList = isObject(inputData[0]) || Array.isArray(inputData[0]);
  if (!isList) return { rows: [inputData], isList: false };
  if (inputData.length > maxRows) {
    throw new ValidationError(
      `input_data has ${inputData.length} rows; send at most ${maxRows} in one call`,
      {
        code: 'TOO_MANY_ROWS',
      },
    );
  }
  const bad = inputData.findIndex((row) => !isObject(row) && !Array.isArray(row));
  if (bad >= 0) {
    throw new InvalidInputError(`input_data row ${bad} must be an object or an array, as the first row is`, [
      { pointer: `/input_data/${bad}`, detail: `got ${kindOf(inputData[bad])}` },
    ]);
  }
  return { rows: inputData as Row[], isList: true };
}

/**
 * @returns the rows by columns; what is left out, null or empty is missing
 * @throws {InvalidInputError} naming every field of the wrong type, at most 20
 */
export function batchOfRows(
  features: readonly FeatureSpec[],
  rows: readonly Row[],
  isList: boolean,
): FeatureBatch {
  const batch = emptyBatch(features, rows.length);
  const errors: FieldError[] = [];
  let extraFields: ExtraFields | undefined;
  for (let i = 0; i < rows.length && errors.length < maxReported; i++) {
    const row = rows[i]!;
    const at = isList ? `/input_data/${i}` : '/input_data';
    if (Array.isArray(row)) {
      if (row.length !== features.length) {
        errors.push({
          pointer: at,
          detail: `${row.length} values, the model takes ${features.length}: ${listOf(features)}`,
        });
        continue;
      }
      for (let j = 0; j < features.length; j++)
        setValue(batch.features[j]!, i, row[j], features[j]!, `${at}/${j}`, errors);
      continue;
    }
    let used = 0;
    for (let j = 0; j < features.length; j++) {
      const { name } = features[j]!;
      if (!Object.hasOwn(row, name)) continue;
      used++;
      setValue(batch.features[j]!, i, row[name], features[j]!, `${at}/${pointerPart(name)}`, errors);
    }
    if (used < Object.keys(row).length) {
      extraFields ??= new ExtraFields(features);
      extraFields.check(row, used > 0, at, errors);
    }
  }
  if (errors.length > 0)
    throw new InvalidInputError(`${errors[0]!.pointer.slice(1)}: ${errors[0]!.detail}`, errors);
  return batch;
}

function setValue(
  values: FeatureValues,
  i: number,
  value: unknown,
  feature: FeatureSpec,
  pointer: string,
  errors: FieldError[],
): void {
  if (value === null || value === undefined || value === '') return;
  const expected = refusalOf(values, i, value, feature);
  if (expected !== undefined && errors.length < maxReported)
    errors.push({ pointer, detail: `${feature.name} must be ${expected}, got ${kindOf(value)}` });
}

/** Sets the value of row i. @returns what it had to be, when it is not */
function refusalOf(
  values: FeatureValues,
  i: number,
  value: unknown,
  feature: FeatureSpec,
): string | undefined {
  if (values.kind === 'string') {
    if (typeof value === 'object') return 'text';
    const text = String(value);
    // onnxruntime ends a text at NUL: the graph would take it for another category.
    if (text.includes('\0')) return 'text without the character NUL';
    values.data[i] = text;
  } else if (values.kind === 'int64') {
    const epochMs =
      typeof value === 'number' ? value : typeof value === 'string' ? epochMsOf(value) : Number.NaN;
    // Beyond ±8.64e15 ms there are no dates.
    if (!(Math.abs(epochMs) <= 8.64e15)) return 'a date: RFC 3339 text or epoch milliseconds';
    values.data[i] = BigInt(Math.round(epochMs));
  } else if (feature.type === 'boolean') {
    if (value === true || value === 1) values.data[i] = 1;
    else if (value === false || value === 0) values.data[i] = 0;
    else return 'true or false';
  } else {
    if (typeof value !== 'number') return 'a number';
    const single = Math.fround(value);
    if (!Number.isFinite(single)) return 'a number within ±3.4e38';
    values.data[i] = single;
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

  check(row: Record<string, unknown>, hasFeature: boolean, at: string, errors: FieldError[]): void {
    for (const name of Object.keys(row)) {
      if (errors.length >= maxReported) return;
      if (this.#known.has(name)) continue;
      const meant = this.#meant(name);
      if (meant !== undefined && !Object.hasOwn(row, meant)) {
        errors.push({
          pointer: `${at}/${pointerPart(name)}`,
          detail: `there is no feature ${JSON.stringify(name)}; did you mean ${JSON.stringify(meant)}?`,
        });
      }
    }
    if (!hasFeature && errors.length < maxReported) {
      errors.push({
        pointer: at,
        detail: `no field is a feature of the model; it takes ${listOf(this.#features)}`,
      });
    }
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

const listOf = (features: readonly FeatureSpec[]): string => {
  const names = features.slice(0, 20).map(({ name }) => name);
  return features.length > 20 ? `${names.join(', ')}, … (${features.length})` : names.join(', ');
};

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'string') return `text ${JSON.stringify(value.slice(0, 40))}`;
  if (typeof value === 'object') return 'an object';
  return `${typeof value} ${String(value)}`;
}
