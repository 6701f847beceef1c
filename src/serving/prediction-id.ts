import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * 24 bytes in base64url, 32 characters:
 * time (6, ms), environment (5, random), batch (3, counted), row in the batch (2), MAC (8).
 * A batch is one object of the prediction log, so that an id leads to its record; time, environment and batch are what
 * the object is named by. The MAC is over the first 16 bytes with tenant, model and version: feedback for a prediction
 * needs no look-up to know that it was made here, for this tenant, by this model.
 */
const environment = randomBytes(5);
const bodyBytes = 16;
const macBytes = 8;
/** A batch holds at most so many rows. */
export const maxBatchRows = 0x10000;
const maxBatches = 0x1000000;
const maxKeys = 2_000;

/** Whose prediction it is. */
export interface PredictionIssuer {
  readonly tenantId: string;
  readonly model: string;
  readonly version: string;
}

/** Where the rows of a call stand in the prediction log. */
export interface LogPosition {
  readonly batch: number;
  readonly firstRow: number;
}

/** What an id says to everybody. */
export interface PredictionIdParts {
  readonly timeMs: number;
  /** Of the process that predicted, in hex. */
  readonly environment: string;
  readonly batch: number;
  readonly row: number;
}

/** This process, as its ids name it. */
export const environmentName = environment.toString('hex');

let batches = 0;

/** @returns the number of a new batch */
export function nextBatch(): number {
  batches = (batches + 1) % maxBatches;
  return batches;
}

/** Gives out ids, and knows them again. */
export class PredictionIds {
  readonly #secret: Uint8Array;
  /** Keys of the MAC by issuer. */
  readonly #keys = new Map<string, Buffer>();

  /** @param secret of the deployment, 32 bytes */
  constructor(secret: Uint8Array) {
    this.#secret = secret;
  }

  /** @returns ids of the rows of one call, in order */
  issue(of: PredictionIssuer, at: LogPosition, nRows: number, nowMs: number): string[] {
    const key = this.#keyOf(of);
    const hashed = Buffer.allocUnsafe(key.length + bodyBytes);
    key.copy(hashed);
    hashed.writeUIntBE(nowMs, key.length, 6);
    environment.copy(hashed, key.length + 6);
    hashed.writeUIntBE(at.batch, key.length + 11, 3);
    const id = Buffer.allocUnsafe(bodyBytes + macBytes);
    const ids: string[] = new Array(nRows);
    for (let row = 0; row < nRows; row++) {
      hashed.writeUInt16BE(at.firstRow + row, key.length + 14);
      hashed.copy(id, 0, key.length);
      hash('sha256', hashed, 'buffer').copy(id, bodyBytes, 0, macBytes);
      ids[row] = id.toString('base64url');
    }
    return ids;
  }

  /** @returns whether the id was given out for this tenant, model and version */
  wasIssued(id: string, of: PredictionIssuer): boolean {
    const bytes = Buffer.from(id, 'base64url');
    if (!isWhole(bytes, id)) return false;
    const mac = hash(
      'sha256',
      Buffer.concat([this.#keyOf(of), bytes.subarray(0, bodyBytes)]),
      'buffer',
    ).subarray(0, macBytes);
    return timingSafeEqual(bytes.subarray(bodyBytes), mac);
  }

  /**
   * A key for each issuer, so that a row costs one hash of one block. A hash of key and text is a MAC here because all
   * texts have one length and most of the hash is cut off.
   */
  #keyOf({ tenantId, model, version }: PredictionIssuer): Buffer {
    const issuer = `${tenantId}\n${model}\n${version}`;
    const known = this.#keys.get(issuer);
    if (known !== undefined) return known;
    const key = createHmac('sha256', this.#secret).update(issuer).digest();
    if (this.#keys.size >= maxKeys) this.#keys.delete(this.#keys.keys().next().value!);
    this.#keys.set(issuer, key);
    return key;
  }
}

/** Base64 has more than one spelling of the same bytes; only ours is an id. */
const isWhole = (bytes: Buffer, id: string): boolean =>
  bytes.length === bodyBytes + macBytes && bytes.toString('base64url') === id;

/** @returns what an id says, or `undefined` for a text that is none. Says nothing of whether it was given out */
export function partsOfPredictionId(id: string): PredictionIdParts | undefined {
  const bytes = Buffer.from(id, 'base64url');
  if (!isWhole(bytes, id)) return undefined;
  return {
    timeMs: bytes.readUIntBE(0, 6),
    environment: bytes.toString('hex', 6, 11),
    batch: bytes.readUIntBE(11, 3),
    row: bytes.readUInt16BE(14),
  };
}
