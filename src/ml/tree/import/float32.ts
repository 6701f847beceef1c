/** Thresholds of other libraries as float32 numbers that send every float32 value to the same side. */

const float = new Float32Array(1);
const bits = new Int32Array(float.buffer);

/** The largest float32 below a float32; -Infinity below all finite ones. */
export function nextBelow(value: number): number {
  // Both zeros have the same neighbour below.
  if (value === 0) return -(2 ** -149);
  float[0] = value;
  bits[0]! += value > 0 ? -1 : 1;
  return float[0]!;
}

/** The largest float32 that is not above a double: for float32 x, x <= value is x <= floor. */
export function floorToFloat32(value: number): number {
  const rounded = Math.fround(value);
  if (rounded === Number.POSITIVE_INFINITY && value < rounded) return nextBelow(rounded);
  return rounded > value ? nextBelow(rounded) : rounded;
}
