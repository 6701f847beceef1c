import { ModelDamagedError } from './model-damaged-error.ts';
import type { OnnxTensor } from './onnx-model.ts';

/** Bytes of an element in raw data, and how it is read; the element types of TensorProto that are numbers. */
const elements: Readonly<Record<number, { bytes: number; read(view: DataView, at: number): number }>> = {
  1: { bytes: 4, read: (view, at) => view.getFloat32(at, true) },
  2: { bytes: 1, read: (view, at) => view.getUint8(at) },
  3: { bytes: 1, read: (view, at) => view.getInt8(at) },
  6: { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  7: {
    bytes: 8,
    read: (view, at) => view.getInt32(at + 4, true) * 2 ** 32 + view.getUint32(at, true),
  },
  9: { bytes: 1, read: (view, at) => (view.getUint8(at) === 0 ? 0 : 1) },
  11: { bytes: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** How many elements the dims ask for. @throws {ModelDamagedError} for a negative or an impossible one */
export function elementCount({ name, dims }: Pick<OnnxTensor, 'name' | 'dims'>): number {
  let count = 1;
  for (const size of dims) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw new ModelDamagedError(`tensor "${name}" has a dimension of ${size}`);
    count *= size;
  }
  if (!Number.isSafeInteger(count)) throw new ModelDamagedError(`tensor "${name}" has ${count} elements`);
  return count;
}

/**
 * The numbers of a tensor, int64 exact up to 2^53. As many as there are bytes for: dims alone allocate nothing.
 * @throws {ModelDamagedError} when there are not as many as the dims ask for, or the element type is no number
 */
export function tensorNumbers(tensor: OnnxTensor): Float64Array {
  const { name, elementType, raw, numbers, isExternal } = tensor;
  const element = elements[elementType];
  if (element === undefined || isExternal)
    throw new ModelDamagedError(`tensor "${name}" holds no numbers (element type ${elementType})`);
  const expected = elementCount(tensor);
  if (raw === undefined || (raw.length === 0 && numbers.length > 0)) {
    requireCount(name, numbers.length, expected);
    return numbers;
  }
  requireCount(name, raw.length / element.bytes, expected);
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const values = new Float64Array(expected);
  for (let i = 0; i < expected; i++) values[i] = element.read(view, i * element.bytes);
  return values;
}

function requireCount(name: string, actual: number, expected: number): void {
  if (actual !== expected)
    throw new ModelDamagedError(
      `tensor "${name}" holds ${actual} elements, and its dims are for ${expected}`,
    );
}
