/**
 * The wire format of protobuf, read where it lies: a reader is a window on the bytes, and a message inside of a message
 * is a smaller window. Nothing is read beyond a window's end, and every step consumes at least one byte.
 */
import { ModelDamagedError } from './model-damaged-error.ts';

export const WireType = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

const TWO_32 = 2 ** 32;
/** More would not fit into 64 bits. */
const MOST_VARINT_BYTES = 10;

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export class WireReader {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly end: number;
  position: number;

  constructor(bytes: Uint8Array, view: DataView, position: number, end: number) {
    this.bytes = bytes;
    this.view = view;
    this.position = position;
    this.end = end;
  }

  static over(bytes: Uint8Array): WireReader {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new WireReader(bytes, view, 0, bytes.length);
  }

  get hasMore(): boolean {
    return this.position < this.end;
  }

  /** Field number times 8 plus wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag < 8 || tag >= TWO_32) throw new ModelDamagedError(`a field has the tag ${tag}`);
    return tag;
  }

  /** int64; exact up to 2^53, the nearest double beyond. */
  varint(): number {
    const { bytes, end } = this;
    let at = this.position;
    if (at < end && bytes[at]! < 128) {
      this.position = at + 1;
      return bytes[at]!;
    }
    let low = 0;
    let high = 0;
    for (let i = 0; i < MOST_VARINT_BYTES; i++) {
      if (at >= end) throw cutShort();
      const byte = bytes[at++]!;
      const bits = byte & 127;
      if (i < 4) low |= bits << (7 * i);
      else if (i === 4) {
        low |= bits << 28;
        high = bits >> 4;
      } else if (i < 9) high |= bits << (7 * i - 32);
      else high |= (bits & 1) << 31;
      if (byte < 128) {
        this.position = at;
        return high * TWO_32 + (low >>> 0);
      }
    }
    throw new ModelDamagedError('a number has more than 64 bits');
  }

  float(): number {
    const at = this.#take(4);
    return this.view.getFloat32(at, true);
  }

  /** The window of a message, text or list, behind which this reader goes on. */
  window(): WireReader {
    const length = this.length();
    const start = this.#take(length);
    return new WireReader(this.bytes, this.view, start, start + length);
  }

  /** The bytes themselves, not a copy. */
  content(): Uint8Array {
    const length = this.length();
    const start = this.#take(length);
    return this.bytes.subarray(start, start + length);
  }

  text(): string {
    const length = this.length();
    const start = this.#take(length);
    return textAt(this.bytes, start, length);
  }

  skip(wireType: number): void {
    switch (wireType) {
      case WireType.varint:
        this.varint();
        return;
      case WireType.fixed64:
        this.#take(8);
        return;
      case WireType.bytes:
        this.#take(this.length());
        return;
      case WireType.fixed32:
        this.#take(4);
        return;
      default:
        throw new ModelDamagedError(`a field has the wire type ${wireType}, which ONNX does not use`);
    }
  }

  /** The length of what begins here; all of it is there. */
  length(): number {
    const length = this.varint();
    if (length < 0 || length > this.end - this.position) throw cutShort();
    return length;
  }

  #take(length: number): number {
    const start = this.position;
    if (length > this.end - start) throw cutShort();
    this.position = start + length;
    return start;
  }
}

/** Longer texts are worth a call of the decoder, which takes microseconds. */
const SHORT_TEXT = 32;

/** @throws {ModelDamagedError} when the bytes are no UTF-8 */
export function textAt(bytes: Uint8Array, start: number, length: number): string {
  if (length <= SHORT_TEXT) {
    let text = '';
    let i = start;
    for (const end = start + length; i < end && bytes[i]! < 128; i++) text += String.fromCharCode(bytes[i]!);
    if (text.length === length) return text;
  }
  try {
    return decoder.decode(bytes.subarray(start, start + length));
  } catch {
    throw new ModelDamagedError('a text is not UTF-8');
  }
}

function cutShort(): ModelDamagedError {
  return new ModelDamagedError('it ends in the middle of a field');
}
