import { createHash, type Hash } from 'node:crypto';
import type { ModelName } from '../contracts/names.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { FeatureBatch } from './feature-batch.ts';
import type { GraphOutput } from './model-executor.ts';

/**
 * Outputs of batches that were scored before. A read takes longer than a tree, so it is worth it for models that run
 * elsewhere.
 */
export interface PredictionCache {
  get(tenant: TenantContext, hash: string): Promise<GraphOutput | undefined>;
  put(tenant: TenantContext, hash: string, output: GraphOutput, seconds: number): Promise<void>;
}

/**
 * @param manifestSha256 of the version: another version misses by construction
 * @returns one text for inputs that are equal to the model, whatever form or order they were sent in
 */
export function inputHash(model: ModelName, manifestSha256: string, batch: FeatureBatch): string {
  const hash = createHash('sha256').update(`${model}\n${manifestSha256}\n${batch.nRows}\n`);
  for (const values of batch.features) {
    if (values.kind === 'string') for (const text of values.data) addText(hash, text);
    else hash.update(values.data);
  }
  return hash.digest('hex');
}

/** With its length before it, so that no text can be cut elsewhere. */
function addText(hash: Hash, text: string): void {
  const bytes = Buffer.from(text, 'utf8');
  hash.update(`${bytes.length}:`).update(bytes);
}
