/**
 * List attributes of millions of elements, written as the bytes that the file will hold. As message fields each integer
 * would be a bigint and each string an array: half a gigabyte for a million nodes of trees. Numbers are packed, which
 * every reader of protobuf takes for the same list: a third less of file, and floats that are read in one copy.
 */
import { create } from '@bufbuild/protobuf';
import { type AttributeProto, AttributeProtoSchema } from './generated/onnx_pb.ts';

/** Field numbers of AttributeProto, and what the `type` field calls them. */
const kinds = {
  floats: { no: 7, type: 6, isPacked: true },
  ints: { no: 8, type: 7, isPacked: true },
  strings: { no: 9, type: 8, isPacked: false },
} as const;

/** A length, and what it is of. */
const WIRE_TYPE = 2;

const MOST_BYTES_OF_NUMBER = 10;

export class LongAttribute {
  readonly #name: string;
  readonly #kind: (typeof kinds)[keyof typeof kinds];
  readonly #tag: number;
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  constructor(name: string, kind: keyof typeof kinds) {
    this.#name = name;
    this.#kind = kinds[kind];
    this.#tag = this.#kind.no * 8 + WIRE_TYPE;
  }

  /** @param value - a whole number >= 0 */
  addInt(value: number): void {
    this.#reserve(MOST_BYTES_OF_NUMBER);
    this.#addVarint(value);
  }

  addFloat(value: number): void {
    this.#reserve(MOST_BYTES_OF_NUMBER);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  addString(text: Uint8Array): void {
    this.#reserve(1 + MOST_BYTES_OF_NUMBER + text.length);
    this.#bytes[this.#length++] = this.#tag;
    this.#addVarint(text.length);
    this.#bytes.set(text, this.#length);
    this.#length += text.length;
  }

  build(): AttributeProto {
    const message = create(AttributeProtoSchema, { name: this.#name, type: this.#kind.type });
    if (this.#length > 0) {
      // Fields that a message does not know are written as they are: a first tag, and what follows.
      const { no, isPacked } = this.#kind;
      const content = this.#bytes.subarray(0, this.#length);
      const data = isPacked ? withLength(content) : content.subarray(1);
      message.$unknown = [{ no, wireType: WIRE_TYPE, data }];
    }
    return message;
  }

  #reserve(nBytes: number): void {
    if (this.#length + nBytes <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#bytes.length + nBytes));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  #addVarint(value: number): void {
    let rest = value;
    while (rest >= 128) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
  }
}

function withLength(content: Uint8Array): Uint8Array {
  const prefix: number[] = [];
  let rest = content.length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) prefix.push((rest % 128) + 128);
  prefix.push(rest);
  const data = new Uint8Array(prefix.length + content.length);
  data.set(prefix);
  data.set(content, prefix.length);
  return data;
}
