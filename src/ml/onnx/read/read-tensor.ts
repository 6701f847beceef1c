import { ModelDamagedError } from './model-damaged-error.ts';
import { ByteStrings, FixedList, IntList, requireWireType, TextList } from './number-list.ts';
import type { OnnxTensor } from './onnx-model.ts';
import { type WireReader, WireType } from './wire-reader.ts';

/** Field numbers of TensorProto. */
const Field = {
  dims: 1,
  dataType: 2,
  segment: 3,
  floatData: 4,
  int32Data: 5,
  stringData: 6,
  int64Data: 7,
  name: 8,
  rawData: 9,
  doubleData: 10,
  uint64Data: 11,
  externalData: 13,
  dataLocation: 14,
} as const;

const MAX_RANK = 32;
const NO_NUMBERS = new Float64Array();

export function readTensor(reader: WireReader): OnnxTensor {
  const dims = new IntList();
  let floats: FixedList<Float32Array> | undefined;
  let doubles: FixedList<Float64Array> | undefined;
  let ints: IntList | undefined;
  let texts: TextList | undefined;
  let name = '';
  let elementType = 0;
  let raw: Uint8Array | undefined;
  let isExternal = false;
  while (reader.hasMore) {
    const tag = reader.tag();
    const field = tag >>> 3;
    switch (field) {
      case Field.dims:
        dims.read(reader, tag);
        break;
      case Field.dataType:
        requireWireType(tag, WireType.varint);
        elementType = reader.varint();
        break;
      case Field.floatData:
        floats ??= FixedList.floats();
        floats.read(reader, tag);
        break;
      case Field.doubleData:
        doubles ??= FixedList.doubles();
        doubles.read(reader, tag);
        break;
      case Field.int32Data:
      case Field.int64Data:
      case Field.uint64Data:
        ints ??= new IntList();
        ints.read(reader, tag);
        break;
      case Field.stringData:
        texts ??= new TextList();
        texts.read(reader, tag);
        break;
      case Field.name:
        requireWireType(tag, WireType.bytes);
        name = reader.text();
        break;
      case Field.rawData:
        requireWireType(tag, WireType.bytes);
        raw = reader.content();
        break;
      case Field.dataLocation:
        requireWireType(tag, WireType.varint);
        isExternal ||= reader.varint() !== 0;
        break;
      default:
        // A part of a tensor is as good as one that lies elsewhere.
        isExternal ||= field === Field.externalData || field === Field.segment;
        reader.skip(tag & 7);
    }
  }
  const shape = Array.from(dims.toArray());
  if (shape.length > MAX_RANK)
    throw new ModelDamagedError(`a tensor has ${shape.length} dimensions, and at most ${MAX_RANK} are read`);
  const numbers = floats ?? doubles ?? ints;
  return {
    ...{ name, elementType, raw, isExternal },
    dims: shape,
    numbers: numbers === undefined ? NO_NUMBERS : Float64Array.from(numbers.toArray()),
    strings: texts?.toStrings(reader.bytes) ?? ByteStrings.none,
  };
}
