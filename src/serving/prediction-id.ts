import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * 24 bytes in base64url, 32 characters:
 * time (6, ms), environment (5, random), batch (3, counted), row in the batch (2), MAC (8).
 * The MAC is over the first 16 bytes with tenant, model and version, so that feedback for a prediction needs
 * no look-up to know that it was made here, for this tenant, by this model.
 */
const environment = randomBytes(5);
let batches = 0;

const macOf = (key: Uint8Array, body: Buffer, tenantId: string, model: string, version: string): Buffer =>
  createHmac('sha256', key)
    .update(`${tenantId}\n${model}\n${version}\n`)
    .update(body)
    .digest()
    .subarray(0, 8);

/** @returns ids of the rows of one batch, in order */
export function predictionIds(
  key: Uint8Array,
  of: { readonly tenantId: string; readonly model: string; readonly version: string },
  nRows: number,
  nowMs: number,
): string[] {
  batches = (batches + 1) % 0x1000000;
  const ids: string[] = [];
  for (let row = 0; row < nRows; row++) {
    const id = Buffer.allocUnsafe(24);
    id.writeUIntBE(nowMs, 0, 6);
    environment.copy(id, 6);
    id.writeUIntBE(batches, 11, 3);
    id.writeUInt16BE(row, 14);
    macOf(key, id.subarray(0, 16), of.tenantId, of.model, of.version).copy(id, 16);
    ids.push(id.toString('base64url'));
  }
  return ids;
}

/** @returns whether the id was given out for this tenant, model and version */
export function isPredictionId(
  key: Uint8Array,
  id: string,
  of: { readonly tenantId: string; readonly model: string; readonly version: string },
): boolean {
  const bytes = Buffer.from(id, 'base64url');
  if (bytes.length !== 24 || bytes.toString('base64url') !== id) return false;
  return timingSafeEqual(
    bytes.subarray(16),
    macOf(key, bytes.subarray(0, 16), of.tenantId, of.model, of.version),
  );
}
