/** ValueInfoProto: what an input or output of the graph is. */
import { ModelDamagedError } from './model-damaged-error.ts';
import type { OnnxValue } from './onnx-model.ts';
import { type WireReader, WireType } from './wire-reader.ts';

type Shape = NonNullable<OnnxValue['shape']>;

const MAX_RANK = 32;

/** Field numbers of TypeProto. */
const kinds: Readonly<Record<number, OnnxValue['kind']>> = {
  1: 'tensor',
  4: 'sequence',
  5: 'map',
  7: 'opaque',
  8: 'sparse',
  9: 'optional',
};

export function readValue(reader: WireReader): OnnxValue {
  let [name, kind] = ['', 'none' as OnnxValue['kind']];
  let tensor: Pick<OnnxValue, 'elementType' | 'shape'> = { elementType: 0, shape: undefined };
  forEachField(reader, (field, window) => {
    if (field === 1) name = textOf(window);
    if (field === 2) {
      forEachField(window, (kindField, content) => {
        kind = kinds[kindField] ?? kind;
        if (kind === 'tensor') tensor = readTensorType(content);
      });
    }
  });
  return { name, kind, ...tensor };
}

function readTensorType(reader: WireReader): Pick<OnnxValue, 'elementType' | 'shape'> {
  let elementType = 0;
  let shape: Shape | undefined;
  forEachField(
    reader,
    (field, window) => {
      if (field === 2) shape = readShape(window);
    },
    (field, number) => {
      if (field === 1) elementType = number;
    },
  );
  return { elementType, shape };
}

function readShape(reader: WireReader): Shape {
  const shape: (number | string | undefined)[] = [];
  forEachField(reader, (field, window) => {
    if (field !== 1) return;
    if (shape.length === MAX_RANK)
      throw new ModelDamagedError(`a shape has more than ${MAX_RANK} dimensions`);
    let size: number | string | undefined;
    forEachField(
      window,
      (part, text) => {
        if (part === 2) size = textOf(text);
      },
      (part, number) => {
        if (part === 1) size = number;
      },
    );
    shape.push(size === '' ? undefined : size);
  });
  return shape;
}

function textOf({ bytes, position, end }: WireReader): string {
  return new TextDecoder().decode(bytes.subarray(position, end));
}

function forEachField(
  reader: WireReader,
  onWindow: (field: number, window: WireReader) => void,
  onNumber: (field: number, number: number) => void = () => {},
): void {
  while (reader.hasMore) {
    const tag = reader.tag();
    const wireType = tag & 7;
    if (wireType === WireType.bytes) onWindow(tag >>> 3, reader.window());
    else if (wireType === WireType.varint) onNumber(tag >>> 3, reader.varint());
    else reader.skip(wireType);
  }
}
