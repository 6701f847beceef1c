import {
  ByteStrings,
  countFixed,
  countInts,
  countStrings,
  emptyTally,
  fillFixed,
  fillInts,
  fillStrings,
  intArray,
  requireWireType,
} from './number-list.ts';
import type { OnnxAttribute, OnnxTensor } from './onnx-model.ts';
import { readTensor } from './read-tensor.ts';
import { WireReader, WireType } from './wire-reader.ts';

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

export function readAttribute(message: WireReader): OnnxAttribute {
  const { bytes, view, position, end } = message;
  const floatsTally = emptyTally();
  const intsTally = emptyTally();
  let nStrings = 0;
  for (const reader = new WireReader(bytes, view, position, end); reader.hasMore; ) {
    const tag = reader.tag();
    const field = tag >>> 3;
    if (field === Field.floats) countFixed(reader, tag, 4, floatsTally);
    else if (field === Field.ints) countInts(reader, tag, intsTally);
    else if (field === Field.strings) nStrings += countStrings(reader, tag);
    else reader.skip(tag & 7);
  }
  return fillAttribute(
    message,
    new Float32Array(floatsTally.count),
    intArray(intsTally),
    new Int32Array(2 * nStrings),
  );
}

function fillAttribute(
  reader: WireReader,
  floats: Float32Array,
  ints: Int32Array | Float64Array,
  places: Int32Array,
): OnnxAttribute {
  let [name, type, float, int, text, hasOther] = ['', 0, 0, 0, NOTHING, false];
  let tensor: OnnxTensor | undefined;
  let [nFloats, nInts, nPlaces] = [0, 0, 0];
  while (reader.hasMore) {
    const tag = reader.tag();
    const field = tag >>> 3;
    switch (field) {
      case Field.floats:
        nFloats = fillFixed(reader, tag, 4, floats, nFloats);
        break;
      case Field.ints:
        nInts = fillInts(reader, tag, ints, nInts);
        break;
      case Field.strings:
        nPlaces = fillStrings(reader, tag, places, nPlaces);
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
  const strings = new ByteStrings(reader.bytes, places);
  return { name, type, float, int, text, tensor, floats, ints, strings, hasOther };
}
