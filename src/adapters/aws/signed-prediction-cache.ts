import type { Clock } from '../../clock.ts';
import type { ClassLabel } from '../../contracts/models.ts';
import type { GraphOutput } from '../../serving/model-executor.ts';
import type { PredictionCache } from '../../serving/prediction-cache.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { AttributeValue, SignedTable } from './signed-table.ts';

/** An item holds 400 kB; larger outputs are not kept. */
const maxOutputBytes = 256 * 1024;

/** Outputs as items that expire. A store that is away makes predictions slower, not wrong or impossible. */
export class SignedPredictionCache implements PredictionCache {
  readonly #table: SignedTable;
  readonly #clock: Clock;

  constructor(table: SignedTable, clock: Clock) {
    this.#table = table;
    this.#clock = clock;
  }

  async get(tenant: TenantContext, hash: string): Promise<GraphOutput | undefined> {
    const item = await this.#table
      .get(tenant, itemKeys.cachedPrediction(tenant, hash))
      .catch(() => undefined);
    // DynamoDB removes what has expired some time later.
    if (item === undefined || Number(item.expires_at?.N) * 1000 <= this.#clock.nowMs()) return undefined;
    return {
      ...(item.output_values?.B === undefined ? {} : { values: floatsOf(item.output_values.B) }),
      ...(item.probabilities?.B === undefined ? {} : { probabilities: floatsOf(item.probabilities.B) }),
      ...(item.labels?.S === undefined ? {} : { labels: JSON.parse(item.labels.S) as ClassLabel[] }),
    };
  }

  async put(tenant: TenantContext, hash: string, output: GraphOutput, seconds: number): Promise<void> {
    const { values, probabilities } = output;
    const labels = output.labels === undefined ? undefined : JSON.stringify(output.labels);
    const bytes =
      (values?.byteLength ?? 0) + (probabilities?.byteLength ?? 0) + Buffer.byteLength(labels ?? '');
    if (bytes > maxOutputBytes) return;
    const expiresAt = Math.floor(this.#clock.nowMs() / 1000) + seconds;
    await this.#table
      .put(tenant, itemKeys.cachedPrediction(tenant, hash), {
        expires_at: { N: String(expiresAt) },
        ...(values === undefined ? {} : { output_values: bytesOf(values) }),
        ...(probabilities === undefined ? {} : { probabilities: bytesOf(probabilities) }),
        ...(labels === undefined ? {} : { labels: { S: labels } }),
      })
      .catch(() => {});
  }
}

const bytesOf = (floats: Float32Array): AttributeValue => ({
  B: Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength).toString('base64'),
});

function floatsOf(base64: string): Float32Array {
  const bytes = Buffer.from(base64, 'base64');
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}
