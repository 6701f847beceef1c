/**
 * Lists of numbers and texts, from bytes into typed arrays in one walk: a first run reserves what the rest of its message
 * can hold at most, which is a small multiple of its bytes, and the list is cut to its length at the end.
 */
import { ModelDamagedError } from './model-damaged-error.ts';
import { textAt, type WireReader, WireType } from './wire-reader.ts';

/** Texts where they lie in the file: a forest names the kind of every node. */
export class ByteStrings {
  /** Of a message that holds none: most do. */
  static readonly none = new ByteStrings(new Uint8Array(), new Int32Array());

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

type NumberArray = Int32Array | Float32Array | Float64Array;

/** An array that grows; at least to twice its size, so that many short runs cost no more than a long one. */
class GrowingList<Array extends NumberArray> {
  array: Array;
  length = 0;
  readonly #make: (length: number) => Array;

  constructor(make: (length: number) => Array) {
    this.#make = make;
    this.array = make(0);
  }

  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.array.length) return;
    this.replace(this.#make(Math.max(needed, 2 * this.array.length)));
  }

  replace(array: Array): void {
    array.set(this.array.subarray(0, this.length));
    this.array = array;
  }

  /** What was reserved and not needed is given back at once, not when garbage is collected. */
  toArray(): Array {
    const make = this.array.constructor as new (buffer: ArrayBufferLike) => Array;
    const { buffer, BYTES_PER_ELEMENT } = this.array;
    return new make((buffer as ArrayBuffer).transfer(this.length * BYTES_PER_ELEMENT));
  }
}

/** int64; in 4 bytes each while all of them fit. Exact up to 2^53. */
export class IntList {
  #isLong = false;
  readonly #list = new GrowingList<Int32Array | Float64Array>((length) =>
    this.#isLong ? new Float64Array(length) : new Int32Array(length),
  );

  /**
   * Reads a repeated int64, packed or a run of single ones, and moves behind it.
   * @param tag - of the field, which the reader is behind
   */
  read(reader: WireReader, tag: number): void {
    const isPacked = (tag & 7) === WireType.bytes;
    if (!isPacked && (tag & 7) !== WireType.varint) throw wrongWireType(tag & 7);
    const window = isPacked ? reader.window() : reader;
    if (isPacked && !window.hasMore) return;
    const { bytes, end } = window;
    let at = window.position;
    const list = this.#list;
    list.reserve(isPacked ? end - at : (end - at + 1) >> 1);
    let { array, length } = list;
    for (;;) {
      const first = at < end ? bytes[at]! : 128;
      if (first < 128) {
        array[length++] = first;
        at++;
      } else {
        const second = at + 1 < end ? bytes[at + 1]! : 128;
        if (second < 128) {
          array[length++] = (first & 127) | (second << 7);
          at += 2;
        } else {
          window.position = at;
          const value = window.varint();
          at = window.position;
          list.length = length;
          if (value !== (value | 0)) this.#widen();
          array = list.array;
          array[length++] = value;
        }
      }
      if (at >= end) break;
      if (isPacked) continue;
      if (bytes[at] !== tag) break;
      at++;
    }
    list.length = length;
    window.position = at;
  }

  toArray(): Int32Array | Float64Array {
    return this.#list.toArray();
  }

  #widen(): void {
    if (this.#isLong) return;
    this.#isLong = true;
    this.#list.replace(new Float64Array(this.#list.array.length));
  }
}

/** float of 4 bytes, or double of 8. */
export class FixedList<Array extends Float32Array | Float64Array> {
  readonly #list: GrowingList<Array>;
  readonly #nBytes: 4 | 8;

  private constructor(nBytes: 4 | 8, make: (length: number) => Array) {
    this.#nBytes = nBytes;
    this.#list = new GrowingList(make);
  }

  static floats(): FixedList<Float32Array> {
    return new FixedList(4, (length) => new Float32Array(length));
  }

  static doubles(): FixedList<Float64Array> {
    return new FixedList(8, (length) => new Float64Array(length));
  }

  /** Reads a repeated number, packed or a run of single ones. */
  read(reader: WireReader, tag: number): void {
    const nBytes = this.#nBytes;
    const list = this.#list;
    const { view } = reader;
    const isPacked = (tag & 7) === WireType.bytes;
    if (!isPacked) requireWireType(tag, nBytes === 4 ? WireType.fixed32 : WireType.fixed64);
    const window = isPacked ? reader.window() : reader;
    const { bytes, end } = window;
    let at = window.position;
    if (isPacked && (end - at) % nBytes !== 0)
      throw new ModelDamagedError('a list of numbers ends in the middle of one');
    list.reserve(Math.ceil((end - at) / (isPacked ? nBytes : nBytes + 1)));
    const { array } = list;
    if (isPacked) {
      // Typed arrays and protobuf are both little-endian.
      new Uint8Array(array.buffer, list.length * nBytes, end - at).set(bytes.subarray(at, end));
      list.length += (end - at) / nBytes;
      return;
    }
    let { length } = list;
    for (;;) {
      if (nBytes > end - at) throw new ModelDamagedError('it ends in the middle of a number');
      array[length++] = nBytes === 4 ? view.getFloat32(at, true) : view.getFloat64(at, true);
      at += nBytes;
      if (at >= end || bytes[at] !== tag) break;
      at++;
    }
    list.length = length;
    window.position = at;
  }

  toArray(): Array {
    return this.#list.toArray();
  }
}

/** Texts, as places in the file. */
export class TextList {
  readonly #places = new GrowingList((length) => new Int32Array(length));

  read(reader: WireReader, tag: number): void {
    requireWireType(tag, WireType.bytes);
    const { bytes, end } = reader;
    const list = this.#places;
    let at = reader.position;
    // The least that a text takes is its length and the tag before it; each has two numbers.
    list.reserve(end - at + 1);
    const { array } = list;
    let { length } = list;
    for (;;) {
      let size = at < end ? bytes[at]! : 128;
      if (size < 128 && size < end - at) at++;
      else {
        reader.position = at;
        size = reader.length();
        at = reader.position;
      }
      array[length++] = at;
      array[length++] = size;
      at += size;
      if (at >= end || bytes[at] !== tag) break;
      at++;
    }
    list.length = length;
    reader.position = at;
  }

  toStrings(bytes: Uint8Array): ByteStrings {
    return new ByteStrings(bytes, this.#places.toArray());
  }
}

export function wrongWireType(wireType: number): ModelDamagedError {
  return new ModelDamagedError(`a field is written with wire type ${wireType}, which its kind does not have`);
}

export function requireWireType(tag: number, wireType: number): void {
  if ((tag & 7) !== wireType) throw wrongWireType(tag & 7);
}
