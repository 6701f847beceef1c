import { createHmac } from 'node:crypto';
import type { ClassLabel } from '../../contracts/models.ts';
import { type FeatureValues, missingInt64 } from '../feature-batch.ts';
import { bestClass } from '../served-model.ts';
import type { LoggedCall } from './prediction-log.ts';

/** One line of the log. Values that were missing are null; dates are epoch milliseconds. */
export interface LogRecord {
  readonly prediction_id: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly request_id: string;
  readonly model_name: string;
  readonly model_version: string;
  /** By name; absent where the model's privacy setting drops them, texts of 22 characters where it hashes them. */
  readonly features?: Readonly<Record<string, number | string | boolean | null>>;
  /** Of all features together, keyed: equal inputs of a tenant have equal hashes. */
  readonly features_hash: string;
  readonly prediction: ClassLabel;
  readonly probabilities?: readonly number[];
}

/** Hashes that say nothing to who lacks the key, not even for values that could be guessed. */
export class FeatureHasher {
  readonly #key: Buffer;

  constructor(secret: Uint8Array, tenantId: string) {
    this.#key = createHmac('sha256', secret).update(`log of ${tenantId}`).digest();
  }

  /** @returns 22 characters, 132 bits */
  hash(text: string): string {
    return createHmac('sha256', this.#key).update(text).digest('base64url').slice(0, 22);
  }
}

type FeatureValue = number | string | boolean | null;

/** @returns the rows of a call, each a line of JSON */
export function logLines(call: LoggedCall, hasher: FeatureHasher): string[] {
  const { manifest, batch, output, ids, settings } = call;
  const { features, classes } = manifest;
  const time = new Date(call.atMs).toISOString();
  const kept = settings?.log_features ?? 'keep';
  return ids.map((prediction_id, row) => {
    const values: Record<string, FeatureValue> = {};
    for (const [j, { name, type }] of features.entries()) {
      const value = featureValue(batch.features[j]!, row);
      setOwn(values, name, type === 'boolean' && value !== null ? value === 1 : value);
    }
    const text = JSON.stringify(values);
    const n = classes?.length ?? 0;
    const record: LogRecord = {
      ...{ prediction_id, time, request_id: call.requestId },
      ...{ model_name: call.model, model_version: call.version },
      ...(kept === 'drop' ? {} : { features: kept === 'keep' ? values : hashed(values, hasher) }),
      features_hash: hasher.hash(text),
      ...(classes === undefined
        ? { prediction: output.values![row]! }
        : {
            prediction: classes[bestClass(output.probabilities!, row, n)]!,
            probabilities: Array.from(output.probabilities!.subarray(row * n, (row + 1) * n)),
          }),
    };
    return JSON.stringify(record);
  });
}

function featureValue(values: FeatureValues, row: number): FeatureValue {
  if (values.kind === 'string') return values.data[row] || null;
  if (values.kind === 'float32') return Number.isNaN(values.data[row]!) ? null : values.data[row]!;
  return values.data[row] === missingInt64 ? null : Number(values.data[row]);
}

function hashed(values: Readonly<Record<string, FeatureValue>>, hasher: FeatureHasher) {
  const result: Record<string, FeatureValue> = {};
  for (const [name, value] of Object.entries(values))
    setOwn(result, name, value === null ? null : hasher.hash(`${name}\n${value}`));
  return result;
}

/** A feature may have the name of something that every object has. */
function setOwn<Value>(target: Record<string, Value>, name: string, value: Value): void {
  Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
}
