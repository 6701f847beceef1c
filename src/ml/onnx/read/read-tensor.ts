import { ModelDamagedError } from './model-damaged-error.ts';
import {
  ByteStrings,
  countFixed,
  countInts,
  countStrings,
  emptyTally,
  fillFixed,
  fillInts,
  fillStrings,
  requireWireType,
} from './number-list.ts';
import type { OnnxTensor } from './onnx-model.ts';
import { WireReader, WireType } from './wire-reader.ts';

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

export function readTensor(message: WireReader): OnnxTensor {
  const { bytes, view, position, end } = message;
  const numbersTally = emptyTally();
  const dimsTally = emptyTally();
  let nStrings = 0;
  for (const reader = new WireReader(bytes, view, position, end); reader.hasMore; ) {
    const tag = reader.tag();
    const field = tag >>> 3;
    if (field === Field.dims) countInts(reader, tag, dimsTally);
    else if (field === Field.floatData) countFixed(reader, tag, 4, numbersTally);
    else if (field === Field.doubleData) countFixed(reader, tag, 8, numbersTally);
    else if (isIntData(field)) countInts(reader, tag, numbersTally);
    else if (field === Field.stringData) nStrings += countStrings(reader, tag);
    else reader.skip(tag & 7);
  }
  if (dimsTally.count > MAX_RANK)
    throw new ModelDamagedError(
      `a tensor has ${dimsTally.count} dimensions, and ${MAX_RANK} is the most that is read`,
    );
  return fillTensor(
    message,
    new Float64Array(numbersTally.count),
    new Float64Array(dimsTally.count),
    new Int32Array(2 * nStrings),
  );
}

function fillTensor(
  reader: WireReader,
  numbers: Float64Array,
  dims: Float64Array,
  places: Int32Array,
): OnnxTensor {
  let [name, elementType, raw, isExternal] = ['', 0, undefined as Uint8Array | undefined, false];
  let [nNumbers, nDims, nPlaces] = [0, 0, 0];
  while (reader.hasMore) {
    const tag = reader.tag();
    const field = tag >>> 3;
    switch (field) {
      case Field.dims:
        nDims = fillInts(reader, tag, dims, nDims);
        break;
      case Field.dataType:
        requireWireType(tag, WireType.varint);
        elementType = reader.varint();
        break;
      case Field.floatData:
        nNumbers = fillFixed(reader, tag, 4, numbers, nNumbers);
        break;
      case Field.doubleData:
        nNumbers = fillFixed(reader, tag, 8, numbers, nNumbers);
        break;
      case Field.int32Data:
      case Field.int64Data:
      case Field.uint64Data:
        nNumbers = fillInts(reader, tag, numbers, nNumbers);
        break;
      case Field.stringData:
        nPlaces = fillStrings(reader, tag, places, nPlaces);
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
  const strings = new ByteStrings(reader.bytes, places);
  return { name, elementType, dims: Array.from(dims), raw, numbers, strings, isExternal };
}

function isIntData(field: number): boolean {
  return field === Field.int32Data || field === Field.int64Data || field === Field.uint64Data;
}
