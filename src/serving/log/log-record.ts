import { createHmac, hash } from 'node:crypto';
import type { ClassLabel } from '../../contracts/models.ts';
import { type FeatureValues, missingInt64 } from '../feature-batch.ts';
import type { GraphOutput } from '../model-executor.ts';
import { labelOf } from '../served-model.ts';
import type { LoggedCall, ShadowResult } from './prediction-log.ts';

/** One line of the log. Values that were missing are null; dates are epoch milliseconds. */
export interface LogRecord {
  readonly prediction_id: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly request_id: string;
  readonly model_name: string;
  readonly model_version: string;
  /** Where it was asked for; absent in production. */
  readonly environment?: string;
  /** By name; absent where the model's privacy setting drops them, texts of 22 characters where it hashes them. */
  readonly features?: Readonly<Record<string, number | string | boolean | null>>;
  /** Of all features together, keyed: equal inputs of a tenant have equal hashes. */
  readonly features_hash: string;
  readonly prediction: ClassLabel;
  readonly probabilities?: readonly number[];
  /** What another version gave for the same input; `failed` where it gave nothing. */
  readonly shadow?: {
    readonly model_version: string;
    readonly prediction?: ClassLabel;
    readonly probabilities?: readonly number[];
    readonly failed?: true;
  };
}

/** Hashes that say nothing to who lacks the key, not even for values that could be guessed. */
export class FeatureHasher {
  readonly #key: string;

  constructor(secret: Uint8Array, tenantId: string) {
    this.#key = createHmac('sha256', secret).update(`log of ${tenantId}`).digest('hex');
  }

  /** @returns 22 characters, 132 bits; cut off, so that no hash leads to that of a longer text */
  hash(text: string): string {
    return hash('sha256', this.#key + text, 'base64url').slice(0, 22);
  }
}

/**
 * Written piece by piece: as objects for `JSON.stringify`, the rows of a call would take longer to write than to score.
 * @returns the rows of a call, each a line of JSON
 */
export function logLines(call: LoggedCall, hasher: FeatureHasher, shadow?: ShadowResult): string[] {
  const { manifest, batch, output, ids, settings } = call;
  const { features, classes } = manifest;
  const kept = settings?.log_features ?? 'keep';
  const names = features.map(({ name }) => JSON.stringify(name));
  const about = `"time":"${new Date(call.atMs).toISOString()}","request_id":${JSON.stringify(call.requestId)},"model_name":${JSON.stringify(call.model)},"model_version":${JSON.stringify(call.version)}${call.environment === undefined ? '' : `,"environment":"${call.environment}"`}`;
  return ids.map((id, row) => {
    let plain = '{';
    let hidden = '{';
    for (let j = 0; j < names.length; j++) {
      const comma = j === 0 ? '' : ',';
      const value = featureText(batch.features[j]!, row, features[j]!.type === 'boolean');
      plain += `${comma}${names[j]}:${value}`;
      if (kept === 'hash')
        hidden += `${comma}${names[j]}:${value === 'null' ? value : `"${hasher.hash(`${names[j]}:${value}`)}"`}`;
    }
    const shown = kept === 'drop' ? '' : `"features":${kept === 'keep' ? plain : hidden}},`;
    const result = resultText(classes, output, row);
    const beside = shadow === undefined ? '' : `,"shadow":${shadowText(shadow, row)}`;
    return `{"prediction_id":"${id}",${about},${shown}"features_hash":"${hasher.hash(`${plain}}`)}",${result}${beside}}`;
  });
}

function resultText(classes: readonly ClassLabel[] | undefined, output: GraphOutput, row: number): string {
  if (output.values !== undefined) return `"prediction":${numberText(output.values[row]!)}`;
  const label = `"prediction":${JSON.stringify(labelOf(output, classes, row))}`;
  if (output.probabilities === undefined) return label;
  const n = classes!.length;
  return `${label},"probabilities":${listText(output.probabilities, row * n, n)}`;
}

function shadowText({ version, output, manifest }: ShadowResult, row: number): string {
  const result = output === undefined ? '"failed":true' : resultText(manifest!.classes, output, row);
  return `{"model_version":${JSON.stringify(version)},${result}}`;
}

/** JSON has no word for what is not finite. */
const numberText = (value: number): string => (Number.isFinite(value) ? String(value) : 'null');

function listText(values: Float32Array, from: number, n: number): string {
  let text = '[';
  for (let k = 0; k < n; k++) text += (k === 0 ? '' : ',') + numberText(values[from + k]!);
  return `${text}]`;
}

/** @returns the value as JSON */
function featureText(values: FeatureValues, row: number, isBoolean: boolean): string {
  if (values.kind === 'string') return values.data[row] ? JSON.stringify(values.data[row]) : 'null';
  if (values.kind === 'int64') return values.data[row] === missingInt64 ? 'null' : String(values.data[row]);
  const value = values.data[row]!;
  return isBoolean && !Number.isNaN(value) ? String(value === 1) : numberText(value);
}
