/** Protobuf written by hand, for what no writer would write. */

/** int64 in two's complement. */
export function varint(value: number): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest >= 128n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  return [...bytes, Number(rest)];
}

/** A field; its length is written before it when the wire type asks for one. */
export function field(number: number, wireType: number, content: readonly number[]): number[] {
  const length = wireType === 2 ? varint(content.length) : [];
  return [...varint(number * 8 + wireType), ...length, ...content];
}

export function floatBits(value: number): number[] {
  return Array.from(new Uint8Array(Float32Array.of(value).buffer));
}

export function text(value: string): number[] {
  return Array.from(new TextEncoder().encode(value));
}
