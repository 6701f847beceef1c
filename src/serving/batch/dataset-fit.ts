import { resultColumns } from '../../contracts/batch.ts';
import type { Dataset } from '../../contracts/datasets.ts';
import type { FeatureSpec } from '../../contracts/models.ts';
import { type FieldError, ValidationError } from '../../errors.ts';
import { nearestName } from '../../ml/nearest-name.ts';
import type { ColumnType } from '../../ml/table.ts';
import type { BatchWork } from './batch-work.ts';

/** Columns that the model takes and the dataset lacks. */
export class FeatureColumnMissingError extends ValidationError {
  constructor(errors: readonly FieldError[], nMissing: number, nFeatures: number) {
    const named = errors.slice(0, 5).map(({ detail }) => detail);
    const more = nMissing > named.length ? `, and ${nMissing - named.length} more` : '';
    super(
      `the dataset lacks ${nMissing} of the ${nFeatures} columns that the model takes: ${named.join(', ')}${more}; rename what is meant, or add the column (it may be empty)`,
      { code: 'FEATURE_COLUMN_MISSING', errors },
    );
  }
}

/** Columns whose type no value of which can be read as the feature's. */
export class FeatureTypeMismatchError extends ValidationError {
  constructor(errors: readonly FieldError[]) {
    super(`${errors[0]!.detail}; convert the column and create the dataset again`, {
      code: 'FEATURE_TYPE_MISMATCH',
      errors,
    });
  }
}

/**
 * What a feature's values may come from. Where the types differ each value is converted by itself, and one that
 * cannot be fails its row. A date is no text: how it was written is not kept.
 */
const readableFrom: Readonly<Record<FeatureSpec['type'], readonly ColumnType[]>> = {
  number: ['number', 'category'],
  boolean: ['boolean', 'number', 'category'],
  date: ['date', 'number', 'category'],
  category: ['category', 'number', 'boolean'],
};

const maxReported = 20;
/** A column as a part of a JSON pointer. */
const pointerTo = (name: string): string => `/dataset_id/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
const spoken = { number: 'numbers', boolean: 'booleans', date: 'dates', category: 'text' } as const;

/**
 * Whether a model can score a dataset, as far as their schemas say; columns that are no features are fine.
 * @throws {FeatureColumnMissingError}
 * @throws {FeatureTypeMismatchError}
 * @throws {ValidationError} a column to copy that is not there, or that is named as one of the result is
 */
export function checkDatasetFits(
  features: readonly FeatureSpec[],
  { columns }: Pick<Dataset, 'columns'>,
  { include_columns }: Pick<BatchWork, 'include_columns'>,
): void {
  const typeOf = new Map(columns.map(({ name, type }) => [name, type]));
  const names = [...typeOf.keys()];
  const missing = features.filter(({ name }) => !typeOf.has(name));
  if (missing.length > 0) {
    const used = new Set(features.map(({ name }) => name));
    const free = names.filter((name) => !used.has(name));
    const errors = missing.slice(0, maxReported).map(({ name }) => {
      const nearest = nearestName(name, free);
      const hint = nearest === undefined ? '' : ` (nearest: ${JSON.stringify(nearest)})`;
      return { pointer: pointerTo(name), detail: `${JSON.stringify(name)}${hint}` };
    });
    throw new FeatureColumnMissingError(errors, missing.length, features.length);
  }
  const unreadable = features.flatMap(({ name, type }) => {
    const column = typeOf.get(name)!;
    if (readableFrom[type].includes(column)) return [];
    const detail = `column ${JSON.stringify(name)} holds ${spoken[column]}, the model takes ${spoken[type]}`;
    return [{ pointer: pointerTo(name), detail }];
  });
  if (unreadable.length > 0) throw new FeatureTypeMismatchError(unreadable.slice(0, maxReported));
  checkCopied(names, include_columns);
}

function checkCopied(names: readonly string[], include: BatchWork['include_columns']): void {
  const known = new Set(names);
  const taken: readonly string[] = resultColumns;
  const errors = (include === 'all' ? names : include).flatMap((name, i) => {
    const pointer = include === 'all' ? '/include_columns' : `/include_columns/${i}`;
    if (!known.has(name)) {
      const nearest = nearestName(name, names);
      const detail = `the dataset has no column ${JSON.stringify(name)}; did you mean ${JSON.stringify(nearest)}?`;
      return [{ pointer, detail }];
    }
    if (include !== 'all' && include.indexOf(name) < i)
      return [{ pointer, detail: `the column ${JSON.stringify(name)} is named twice` }];
    if (!taken.includes(name.toLowerCase())) return [];
    const detail = `the result has a column ${JSON.stringify(name.toLowerCase())} of its own; leave the dataset's out, or rename it`;
    return [{ pointer, detail }];
  });
  if (errors.length > 0)
    throw new ValidationError(errors[0]!.detail, { errors: errors.slice(0, maxReported) });
}
