/**
 * List attributes of millions of elements, written as the bytes that the file will hold. As message fields each integer
 * would be a bigint and each string an array: half a gigabyte for a million nodes of trees.
 */
import { create } from '@bufbuild/protobuf';
import { type AttributeProto, AttributeProtoSchema } from './generated/onnx_pb.ts';

/** Field numbers of AttributeProto, what the `type` field calls them, and how protobuf writes them. */
const kinds = {
  floats: { no: 7, type: 6, wireType: 5 },
  ints: { no: 8, type: 7, wireType: 0 },
  strings: { no: 9, type: 8, wireType: 2 },
} as const;

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
    this.#tag = this.#kind.no * 8 + this.#kind.wireType;
  }

  /** @param value - a whole number >= 0 */
  addInt(value: number): void {
    this.#begin(MOST_BYTES_OF_NUMBER);
    this.#addVarint(value);
  }

  addFloat(value: number): void {
    this.#begin(MOST_BYTES_OF_NUMBER);
    this.#view.setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  addString(text: Uint8Array): void {
    this.#begin(MOST_BYTES_OF_NUMBER + text.length);
    this.#addVarint(text.length);
    this.#bytes.set(text, this.#length);
    this.#length += text.length;
  }

  build(): AttributeProto {
    const message = create(AttributeProtoSchema, { name: this.#name, type: this.#kind.type });
    if (this.#length > 0) {
      // Fields that a message does not know are written as they are: a first tag, and what follows.
      const { no, wireType } = this.#kind;
      message.$unknown = [{ no, wireType, data: this.#bytes.subarray(1, this.#length) }];
    }
    return message;
  }

  #begin(nBytes: number): void {
    if (this.#length + 1 + nBytes > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.#bytes.length + nBytes));
      larger.set(this.#bytes.subarray(0, this.#length));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    this.#bytes[this.#length++] = this.#tag;
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
