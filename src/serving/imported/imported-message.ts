/** What predict and the function of imported graphs say to each other; rows travel by columns, numbers as bytes. */
import type { ImportedSignature } from '../../contracts/imported.ts';
import type { FeatureBatch, FeatureValues } from '../feature-batch.ts';
import type { GraphOutput } from '../model-executor.ts';

/** The file of a graph: a link that ends soon, and what its bytes have to hash to. */
export interface ImportedArtifact {
  readonly url: string;
  readonly sha256: string;
  readonly bytes: number;
}

type SentColumn =
  | { readonly kind: 'float32' | 'int64'; readonly data: string }
  | { readonly kind: 'string'; readonly data: readonly string[] };

export interface ImportedCall {
  /** load: the graph is brought into memory, and nothing is predicted. */
  readonly kind: 'predict' | 'load' | 'self-test';
  readonly artifact: ImportedArtifact;
  readonly graph: ImportedSignature;
  /** Of a prediction. */
  readonly rows?: { readonly n_rows: number; readonly columns: readonly SentColumn[] };
}

/** What the self-test found out. */
export interface SelfTestResult {
  readonly n_rows: number;
  readonly load_ms: number;
  readonly resident_bytes: number;
  readonly accepts_missing: boolean;
}

export type ImportedAnswer =
  | {
      readonly ok: true;
      readonly output?: {
        readonly values?: string;
        readonly probabilities?: string;
        readonly labels?: readonly (string | number | boolean)[];
      };
      readonly self_test?: SelfTestResult;
    }
  | { readonly ok: false; readonly code: string; readonly message: string };

const base64Of = ({ buffer, byteOffset, byteLength }: ArrayBufferView): string =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64');

/** A copy: what base64 gives need not lie where numbers may. */
function bytesOf(base64: string): ArrayBuffer {
  const bytes = Buffer.from(base64, 'base64');
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
}

/** @returns rows `from` to `to` of a batch, as they are sent */
export function sentRows(batch: FeatureBatch, from: number, to: number): NonNullable<ImportedCall['rows']> {
  return {
    n_rows: to - from,
    columns: batch.features.map(({ kind, data }): SentColumn => {
      if (kind === 'string') return { kind, data: data.slice(from, to) };
      return { kind, data: base64Of(data.subarray(from, to)) };
    }),
  };
}

export function receivedRows({ n_rows, columns }: NonNullable<ImportedCall['rows']>): FeatureBatch {
  return {
    nRows: n_rows,
    features: columns.map((column): FeatureValues => {
      if (column.kind === 'string') return { input: '', kind: 'string', data: [...column.data] };
      const bytes = bytesOf(column.data);
      return column.kind === 'int64'
        ? { input: '', kind: 'int64', data: new BigInt64Array(bytes) }
        : { input: '', kind: 'float32', data: new Float32Array(bytes) };
    }),
  };
}

export const sentOutput = ({ values, probabilities, labels }: GraphOutput) => ({
  ...(values === undefined ? {} : { values: base64Of(values) }),
  ...(probabilities === undefined ? {} : { probabilities: base64Of(probabilities) }),
  ...(labels === undefined ? {} : { labels }),
});

export function receivedOutput(
  sent: NonNullable<Extract<ImportedAnswer, { ok: true }>['output']>,
): GraphOutput {
  const { values, probabilities, labels } = sent;
  return {
    ...(values === undefined ? {} : { values: new Float32Array(bytesOf(values)) }),
    ...(probabilities === undefined ? {} : { probabilities: new Float32Array(bytesOf(probabilities)) }),
    ...(labels === undefined ? {} : { labels }),
  };
}
