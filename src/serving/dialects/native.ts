/** The platform's own form: rows of features in, one result a row out. */
import type { Prediction } from '../../contracts/prediction.ts';
import { ValidationError } from '../../errors.ts';
import {
  batchOfRows,
  InvalidInputError,
  inputData,
  maxRows,
  type Row,
  readableRows,
  rowsOf,
  tooManyRows,
} from '../input-rows.ts';
import type { ReadBatch } from '../predictor.ts';
import { bestClass, type Scored } from '../served-model.ts';

/** What came of one row of a batch whose rows stand for themselves. */
export type RowResult = Prediction | { readonly error: RowError };

interface RowError {
  readonly code: string;
  readonly detail: string;
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

/** @returns results in the order of the rows */
export function predictionsOf(scored: Scored): Prediction[] {
  const { model, version, manifest, output, ids, explanations } = scored;
  const { classes } = manifest;
  return ids.map((prediction_id, row): Prediction => {
    if (output.values !== undefined) {
      return {
        prediction: output.values[row]!,
        ...{ model_id: model, model_version: version, prediction_id },
        ...(explanations && { explanation: explanations[row]! }),
      };
    }
    const all = output.probabilities;
    if (all === undefined)
      return {
        prediction: output.labels![row]!,
        ...{ model_id: model, model_version: version, prediction_id },
      };
    const nClasses = classes!.length;
    const best = bestClass(all, row, nClasses);
    return {
      prediction: output.labels?.[row] ?? classes![best]!,
      probabilities: Array.from(all.subarray(row * nClasses, (row + 1) * nClasses)),
      confidence: all[row * nClasses + best]!,
      ...{ model_id: model, model_version: version, prediction_id },
      ...(explanations && { explanation: explanations[row]! }),
    };
  });
}

/** `{"input_data": …, "explain": "shap"}` with one row or a list. */
export function nativeInput(body: unknown): {
  read: ReadBatch;
  rows: readonly Row[];
  isList: boolean;
  explained: boolean;
} {
  const { input_data, explain } = fieldsOf(body, 'input_data', ['explain']);
  const { rows, isList } = rowsOf(input_data);
  const source = inputData(isList);
  return {
    read: ({ features, imported }) =>
      batchOfRows(features, rows, { ...source, mayMiss: imported?.accepts_missing !== false }),
    ...{ rows, isList, explained: isExplained(explain) },
  };
}

/** @throws {ValidationError} for another method than SHAP values */
export function isExplained(explain: unknown): boolean {
  if (explain === undefined) return false;
  if (explain === 'shap') return true;
  throw new ValidationError('explain must be "shap", or left out', {
    errors: [{ pointer: '/explain', detail: 'unknown method' }],
  });
}

/** The bare feature object of the alias. */
export function bareInput(body: unknown): ReadBatch {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ValidationError('body must be an object of features', {
      errors: [{ pointer: '', detail: 'not an object' }],
    });
  }
  const source = inputData(false, '');
  return ({ features, imported }) =>
    batchOfRows(features, [body as Record<string, unknown>], {
      ...source,
      mayMiss: imported?.accepts_missing !== false,
    });
}

/** No row of a batch could be read, so that there is nothing to score. */
class NoReadableRow extends Error {}

/**
 * `{"input_batch": [...], "batch_size": 32}`: rows that stand for themselves. All of a call are scored at once, so
 * `batch_size` is checked and changes nothing.
 * @param predict scores what `read` reads
 * @returns one result a row, in order
 */
export async function predictEach(
  body: unknown,
  predict: (read: ReadBatch) => Promise<Scored>,
): Promise<{ results: RowResult[]; scored: Scored | undefined }> {
  const { input_batch: rows, batch_size: size = 32 } = fieldsOf(body, 'input_batch', ['batch_size']);
  if (!Array.isArray(rows) || rows.length === 0) {
    throw new InvalidInputError('input_batch must be a list of at least one row', [
      { pointer: '/input_batch', detail: Array.isArray(rows) ? 'empty' : 'not a list' },
    ]);
  }
  if (rows.length > maxRows) throw tooManyRows('input_batch', rows.length);
  if (!Number.isInteger(size) || (size as number) < 1 || (size as number) > maxRows) {
    throw new ValidationError(`batch_size must be a whole number from 1 to ${maxRows}`, {
      errors: [{ pointer: '/batch_size', detail: 'out of range' }],
    });
  }
  let refused: ReadonlyMap<number, InvalidInputError> = new Map();
  const scored = await predict(({ features, imported }) => {
    const read = readableRows(features, rows, {
      pointerOf: (row) => `/input_batch/${row}`,
      mayMiss: imported?.accepts_missing !== false,
    });
    refused = read.refused;
    if (read.readable.length === 0) throw new NoReadableRow();
    return read.batch;
  }).catch((error: unknown) => {
    if (error instanceof NoReadableRow) return undefined;
    throw error;
  });
  const predictions = scored === undefined ? [] : predictionsOf(scored);
  let next = 0;
  const results = rows.map((_, row): RowResult => {
    const error = refused.get(row);
    return error === undefined ? predictions[next++]! : rowError(error);
  });
  return { results, scored };
}

const rowError = ({ code, message, errors }: InvalidInputError): RowResult => ({
  error: { code, detail: message, errors: [...errors] },
});

/** @returns the fields of a body that holds `required` and may hold others. @throws {ValidationError} */
function fieldsOf(body: unknown, required: string, optional: readonly string[]): Record<string, unknown> {
  const isObject = typeof body === 'object' && body !== null && !Array.isArray(body);
  if (!isObject || !Object.hasOwn(body, required)) {
    throw new ValidationError(`body must be an object with ${required}`, {
      errors: [{ pointer: `/${required}`, detail: 'required' }],
    });
  }
  const extra = Object.keys(body).find((name) => name !== required && !optional.includes(name));
  if (extra !== undefined) {
    const takes = optional.length === 0 ? `${required} only` : [required, ...optional].join(', ');
    throw new ValidationError(
      `body has the unknown field ${JSON.stringify(extra.slice(0, 100))}; it takes ${takes}`,
      { errors: [{ pointer: `/${extra.slice(0, 100)}`, detail: 'unknown field' }] },
    );
  }
  return body as Record<string, unknown>;
}
