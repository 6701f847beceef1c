/** Tensor datatypes of the Open Inference Protocol V2, and how their elements lie in bytes (little-endian). */

/** BF16 is Triton's addition, in binary only. */
export const elementBytes = {
  BOOL: 1,
  UINT8: 1,
  UINT16: 2,
  UINT32: 4,
  UINT64: 8,
  INT8: 1,
  INT16: 2,
  INT32: 4,
  INT64: 8,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  FP64: 8,
  /** Four bytes of length before each. */
  BYTES: 0,
} as const;

export type Datatype = keyof typeof elementBytes;

export const isDatatype = (name: unknown): name is Datatype =>
  typeof name === 'string' && Object.hasOwn(elementBytes, name);

/** Numbers, or texts of BYTES. 64-bit integers are numbers too: what is not exact as one is refused by who reads it. */
export type Elements = Float32Array | readonly (number | string | boolean | null | bigint)[];

/** A binary tensor that does not hold what its shape and datatype say. */
export class MalformedTensorError extends Error {}

/** @throws {MalformedTensorError} */
export function readElements(bytes: Uint8Array, datatype: Datatype, nElements: number): Elements {
  if (datatype === 'BYTES') return readTexts(bytes, nElements);
  const width = elementBytes[datatype];
  if (bytes.byteLength !== width * nElements) {
    throw new MalformedTensorError(
      `${bytes.byteLength} bytes; ${nElements} elements of ${datatype} take ${width * nElements}`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (datatype === 'FP32') {
    const values = new Float32Array(nElements);
    for (let i = 0; i < nElements; i++) values[i] = view.getFloat32(i * 4, true);
    return values;
  }
  const read = readers[datatype];
  const values: (number | bigint | boolean)[] = new Array(nElements);
  for (let i = 0; i < nElements; i++) values[i] = read(view, i * width);
  return values as Elements;
}

const readers: Record<
  Exclude<Datatype, 'BYTES' | 'FP32'>,
  (view: DataView, at: number) => number | bigint | boolean
> = {
  BOOL: (view, at) => view.getUint8(at) !== 0,
  UINT8: (view, at) => view.getUint8(at),
  UINT16: (view, at) => view.getUint16(at, true),
  UINT32: (view, at) => view.getUint32(at, true),
  UINT64: (view, at) => view.getBigUint64(at, true),
  INT8: (view, at) => view.getInt8(at),
  INT16: (view, at) => view.getInt16(at, true),
  INT32: (view, at) => view.getInt32(at, true),
  INT64: (view, at) => view.getBigInt64(at, true),
  FP16: (view, at) => halfOf(view.getUint16(at, true)),
  BF16: (view, at) => bfloatOf(view.getUint16(at, true)),
  FP64: (view, at) => view.getFloat64(at, true),
};

/** IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function halfOf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const word = new DataView(new ArrayBuffer(4));

/** The upper half of a float32. */
function bfloatOf(bits: number): number {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

function readTexts(bytes: Uint8Array, nElements: number): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const utf8 = new TextDecoder('utf-8', { fatal: true });
  const texts: string[] = [];
  let at = 0;
  for (let i = 0; i < nElements; i++) {
    const length = at + 4 <= bytes.byteLength ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at + 4 + length > bytes.byteLength) {
      throw new MalformedTensorError(
        `element ${i} of BYTES ends after the tensor's ${bytes.byteLength} bytes`,
      );
    }
    try {
      texts.push(utf8.decode(bytes.subarray(at + 4, at + 4 + length)));
    } catch {
      throw new MalformedTensorError(`element ${i} of BYTES is not UTF-8`);
    }
    at += 4 + length;
  }
  if (at !== bytes.byteLength) {
    throw new MalformedTensorError(
      `${bytes.byteLength - at} bytes are left after ${nElements} elements of BYTES`,
    );
  }
  return texts;
}

/** @returns the elements as the binary extension sends them */
export function writeElements(
  datatype: 'BOOL' | 'INT64' | 'FP32' | 'FP64' | 'BYTES',
  data: ArrayLike<unknown>,
): Buffer {
  if (datatype === 'BYTES') {
    return Buffer.concat(
      Array.from(data as ArrayLike<string>, (text) => {
        const bytes = Buffer.from(text, 'utf8');
        const length = Buffer.allocUnsafe(4);
        length.writeUInt32LE(bytes.length);
        return [length, bytes];
      }).flat(),
    );
  }
  const width = elementBytes[datatype];
  const bytes = Buffer.allocUnsafe(data.length * width);
  for (let i = 0; i < data.length; i++) {
    const value = data[i];
    if (datatype === 'FP32') bytes.writeFloatLE(value as number, i * width);
    else if (datatype === 'FP64') bytes.writeDoubleLE(value as number, i * width);
    else if (datatype === 'INT64') bytes.writeBigInt64LE(BigInt(value as number), i * width);
    else bytes[i] = value === true ? 1 : 0;
  }
  return bytes;
}
