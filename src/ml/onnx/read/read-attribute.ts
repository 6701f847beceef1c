import { ByteStrings, FixedList, IntList, requireWireType, TextList } from './number-list.ts';
import type { OnnxAttribute, OnnxTensor } from './onnx-model.ts';
import { readTensor } from './read-tensor.ts';
import { type WireReader, WireType } from './wire-reader.ts';

/** Field numbers of AttributeProto. */
const Field = {
  name: 1,
  f: 2,
  i: 3,
  s: 4,
  t: 5,
  floats: 7,
  ints: 8,
  strings: 9,
  docString: 13,
  type: 20,
} as const;

const NOTHING: Uint8Array = new Uint8Array();
const NO_FLOATS = new Float32Array();
const NO_INTS = new Int32Array();

export function readAttribute(reader: WireReader): OnnxAttribute {
  let floats: FixedList<Float32Array> | undefined;
  let ints: IntList | undefined;
  let texts: TextList | undefined;
  let name = '';
  let type = 0;
  let float = 0;
  let int = 0;
  let text = NOTHING;
  let tensor: OnnxTensor | undefined;
  let hasOther = false;
  while (reader.hasMore) {
    const tag = reader.tag();
    const field = tag >>> 3;
    switch (field) {
      case Field.floats:
        floats ??= FixedList.floats();
        floats.read(reader, tag);
        break;
      case Field.ints:
        ints ??= new IntList();
        ints.read(reader, tag);
        break;
      case Field.strings:
        texts ??= new TextList();
        texts.read(reader, tag);
        break;
      case Field.name:
        requireWireType(tag, WireType.bytes);
        name = reader.text();
        break;
      case Field.f:
        requireWireType(tag, WireType.fixed32);
        float = reader.float();
        break;
      case Field.i:
        requireWireType(tag, WireType.varint);
        int = reader.varint();
        break;
      case Field.s:
        requireWireType(tag, WireType.bytes);
        text = reader.content();
        break;
      case Field.t:
        requireWireType(tag, WireType.bytes);
        hasOther ||= tensor !== undefined;
        tensor = readTensor(reader.window());
        break;
      case Field.type:
        requireWireType(tag, WireType.varint);
        type = reader.varint();
        break;
      default:
        hasOther ||= field !== Field.docString;
        reader.skip(tag & 7);
    }
  }
  return {
    ...{ name, type, float, int, text, tensor, hasOther },
    floats: floats?.toArray() ?? NO_FLOATS,
    ints: ints?.toArray() ?? NO_INTS,
    strings: texts?.toStrings(reader.bytes) ?? ByteStrings.none,
  };
}
