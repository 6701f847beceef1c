/** Universal Binary JSON (ubjson.org, draft 12), big-endian, as XGBoost writes it. */
import { notReadable } from './untrusted.ts';

/** Models are five deep; deeper text is made to break a reader. */
const MAX_DEPTH = 32;

interface FixedType {
  readonly bytes: number;
  read(view: DataView, offset: number): number;
}

const numberTypes: Readonly<Record<string, FixedType>> = {
  i: { bytes: 1, read: (view, offset) => view.getInt8(offset) },
  U: { bytes: 1, read: (view, offset) => view.getUint8(offset) },
  I: { bytes: 2, read: (view, offset) => view.getInt16(offset) },
  l: { bytes: 4, read: (view, offset) => view.getInt32(offset) },
  // Beyond 2^53 rounded; no field of a model is so large and still valid.
  L: { bytes: 8, read: (view, offset) => Number(view.getBigInt64(offset)) },
  d: { bytes: 4, read: (view, offset) => view.getFloat32(offset) },
  D: { bytes: 8, read: (view, offset) => view.getFloat64(offset) },
};

/**
 * Lists of numbers with a type become Float64Array, objects have no prototype.
 * Memory at most some 30 times the bytes: no count is believed that the bytes left could not hold.
 * @throws ValidationError MODEL_NOT_READABLE.
 */
export function parseUbjson(bytes: Uint8Array): unknown {
  const reader = new UbjsonReader(bytes);
  const value = reader.value(reader.type(), 0);
  reader.expectEnd();
  return value;
}

class UbjsonReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The next marker, without no-ops. */
  type(): string {
    let type = this.#char();
    while (type === 'N') type = this.#char();
    return type;
  }

  value(type: string, depth: number): unknown {
    const number = Object.hasOwn(numberTypes, type) ? numberTypes[type] : undefined;
    if (number !== undefined) return number.read(this.#view, this.#advance(number.bytes));
    if (type === 'T') return true;
    if (type === 'F') return false;
    if (type === 'Z') return null;
    if (type === 'C') return this.#text(1);
    if (type === 'S' || type === 'H') return this.#text(this.#length());
    if (type === '[') return this.#array(depth + 1);
    if (type === '{') return this.#object(depth + 1);
    throw this.#broken(`unknown type ${JSON.stringify(type)}`);
  }

  expectEnd(): void {
    if (this.#offset < this.#bytes.length) throw this.#broken('bytes after the end');
  }

  #array(depth: number): unknown {
    const { type, count } = this.#header(depth);
    if (type !== undefined && count !== undefined && Object.hasOwn(numberTypes, type)) {
      const { bytes, read } = numberTypes[type]!;
      const start = this.#advance(count * bytes);
      return Float64Array.from({ length: count }, (_, i) => read(this.#view, start + i * bytes));
    }
    const list: unknown[] = [];
    if (count !== undefined) {
      for (let i = 0; i < count; i++) list.push(this.value(type ?? this.type(), depth));
      return list;
    }
    for (let next = this.type(); next !== ']'; next = this.type()) list.push(this.value(next, depth));
    return list;
  }

  #object(depth: number): unknown {
    const { type, count } = this.#header(depth);
    const fields = Object.create(null) as Record<string, unknown>;
    const read = () => {
      const key = this.#text(this.#length());
      fields[key] = this.value(type ?? this.type(), depth);
    };
    if (count !== undefined) {
      for (let i = 0; i < count; i++) read();
      return fields;
    }
    while (this.#peek() !== '}') read();
    this.#offset++;
    return fields;
  }

  /** The optional type and count of a container. */
  #header(depth: number): { type?: string; count?: number } {
    if (depth > MAX_DEPTH) throw this.#broken(`more than ${MAX_DEPTH} levels`);
    let type: string | undefined;
    if (this.#peek() === '$') {
      this.#offset++;
      type = this.#char();
      // Elements without bytes would make a short text a huge list.
      if (type === 'T' || type === 'F' || type === 'Z' || type === 'N')
        throw this.#broken(`a list of type ${type}`);
      if (this.#peek() !== '#') throw this.#broken('a type without a count');
    }
    if (this.#peek() !== '#') return {};
    this.#offset++;
    const count = this.#length();
    return type === undefined ? { count } : { type, count };
  }

  /** At most the bytes that are left: each element has one at least. */
  #length(): number {
    const type = this.#char();
    if (!'iUIlL'.includes(type)) throw this.#broken(`a length of type ${JSON.stringify(type)}`);
    const length = this.value(type, 0) as number;
    if (length < 0 || length > this.#bytes.length - this.#offset) throw this.#broken(`a length of ${length}`);
    return length;
  }

  #text(length: number): string {
    const start = this.#advance(length);
    try {
      return this.#decoder.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw this.#broken('text that is not UTF-8');
    }
  }

  #peek(): string {
    if (this.#offset >= this.#bytes.length) throw this.#broken('an early end');
    return String.fromCharCode(this.#bytes[this.#offset]!);
  }

  #char(): string {
    return String.fromCharCode(this.#bytes[this.#advance(1)]!);
  }

  #advance(bytes: number): number {
    const start = this.#offset;
    if (start + bytes > this.#bytes.length) throw this.#broken('an early end');
    this.#offset = start + bytes;
    return start;
  }

  #broken(what: string) {
    return notReadable(`${what} at byte ${this.#offset} of the UBJSON`);
  }
}
