/** Lists of numbers and texts, from bytes into typed arrays of exactly their length. */
import { ModelDamagedError } from './model-damaged-error.ts';
import { textAt, type WireReader, WireType } from './wire-reader.ts';

/** Longer varints may not fit into 31 bits. */
const SHORT_VARINT_BYTES = 4;

/** Texts where they lie in the file: a forest names the kind of every node. */
export class ByteStrings {
  readonly bytes: Uint8Array;
  /** Start and length of each, in turns. */
  readonly places: Int32Array;

  constructor(bytes: Uint8Array, places: Int32Array) {
    this.bytes = bytes;
    this.places = places;
  }

  get length(): number {
    return this.places.length / 2;
  }

  /** @throws {ModelDamagedError} when the bytes are no UTF-8 */
  at(index: number): string {
    return textAt(this.bytes, this.places[2 * index]!, this.places[2 * index + 1]!);
  }

  toArray(): string[] {
    return Array.from({ length: this.length }, (_, index) => this.at(index));
  }
}

/** What a first walk through a message finds out about one repeated field. */
export interface Tally {
  count: number;
  /** Whether an int has more bytes than fit into 31 bits. */
  isLong: boolean;
}

export const emptyTally = (): Tally => ({ count: 0, isLong: false });

/**
 * Counts a repeated int64, packed or a run of single ones, and moves behind it.
 * @param tag - of the field, which the reader is behind
 */
export function countInts(reader: WireReader, tag: number, tally: Tally): void {
  const isPacked = (tag & 7) === WireType.bytes;
  if (!isPacked && (tag & 7) !== WireType.varint) throw wrongWireType(tag & 7);
  const window = isPacked ? reader.window() : reader;
  if (isPacked && !window.hasMore) return;
  const { bytes, end } = window;
  let at = window.position;
  for (;;) {
    const start = at;
    while (at < end && bytes[at]! >= 128) at++;
    if (at >= end) throw new ModelDamagedError('it ends in the middle of a number');
    if (at - start >= SHORT_VARINT_BYTES) tally.isLong = true;
    tally.count++;
    at++;
    if (at >= end) break;
    if (isPacked) continue;
    if (bytes[at] !== tag) break;
    at++;
  }
  window.position = at;
}

/** An array for what was counted: as small as holds all of it. */
export function intArray({ count, isLong }: Tally): Int32Array | Float64Array {
  return isLong ? new Float64Array(count) : new Int32Array(count);
}

/** @returns the position behind what was written */
export function fillInts(
  reader: WireReader,
  tag: number,
  out: Int32Array | Float64Array,
  from: number,
): number {
  const isPacked = (tag & 7) === WireType.bytes;
  const window = isPacked ? reader.window() : reader;
  if (isPacked && !window.hasMore) return from;
  const { bytes, end } = window;
  let next = from;
  let at = window.position;
  for (;;) {
    const first = bytes[at]!;
    const second = first < 128 ? 0 : bytes[at + 1]!;
    // Lengths were checked when it was counted; most numbers have one or two bytes.
    if (first < 128) {
      out[next++] = first;
      at++;
    } else if (second < 128) {
      out[next++] = (first & 127) | (second << 7);
      at += 2;
    } else {
      window.position = at;
      out[next++] = window.varint();
      at = window.position;
    }
    if (at >= end) break;
    if (isPacked) continue;
    if (bytes[at] !== tag) break;
    at++;
  }
  window.position = at;
  return next;
}

/** Counts a repeated float (4 bytes) or double (8), packed or a run of single ones. */
export function countFixed(reader: WireReader, tag: number, nBytes: 4 | 8, tally: Tally): void {
  if ((tag & 7) === WireType.bytes) {
    const length = reader.content().length;
    if (length % nBytes !== 0) throw new ModelDamagedError('a list of numbers ends in the middle of one');
    tally.count += length / nBytes;
    return;
  }
  if ((tag & 7) !== (nBytes === 4 ? WireType.fixed32 : WireType.fixed64)) throw wrongWireType(tag & 7);
  do {
    reader.skip(tag & 7);
    tally.count++;
  } while (reader.follows(tag));
}

/** @returns the position behind what was written */
export function fillFixed(
  reader: WireReader,
  tag: number,
  nBytes: 4 | 8,
  out: Float32Array | Float64Array,
  from: number,
): number {
  let next = from;
  const isPacked = (tag & 7) === WireType.bytes;
  const source = isPacked ? reader.window() : reader;
  if (isPacked && !source.hasMore) return next;
  do out[next++] = nBytes === 4 ? source.float() : source.double();
  while (isPacked ? source.hasMore : reader.follows(tag));
  return next;
}

/** Counts a run of texts. */
export function countStrings(reader: WireReader, tag: number): number {
  if ((tag & 7) !== WireType.bytes) throw wrongWireType(tag & 7);
  const { bytes, end } = reader;
  let count = 0;
  do {
    const length = bytes[reader.position]!;
    // Short ones, which are nearly all, without a call.
    if (length < 128 && length < end - reader.position) reader.position += 1 + length;
    else reader.skip(WireType.bytes);
    count++;
  } while (reader.follows(tag));
  return count;
}

/** Starts and lengths of a run of texts. @returns the position behind what was written */
export function fillStrings(reader: WireReader, tag: number, places: Int32Array, from: number): number {
  const { bytes, end } = reader;
  let next = from;
  let at = reader.position;
  for (;;) {
    let length = bytes[at++]!;
    if (length >= 128) {
      reader.position = at - 1;
      length = reader.length();
      at = reader.position;
    }
    places[next++] = at;
    places[next++] = length;
    at += length;
    if (at >= end || bytes[at] !== tag) break;
    at++;
  }
  reader.position = at;
  return next;
}

export function wrongWireType(wireType: number): ModelDamagedError {
  return new ModelDamagedError(`a field is written with wire type ${wireType}, which its kind does not have`);
}

export function requireWireType(tag: number, wireType: number): void {
  if ((tag & 7) !== wireType) throw wrongWireType(tag & 7);
}
