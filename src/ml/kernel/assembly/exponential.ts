const LOG2_E: f64 = 1.4426950408889634;
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;

/**
 * e^x to about 1e-13 relative: x = k ln 2 + r with |r| <= ln 2 / 2, a polynomial for e^r, the exponent set by its bits.
 * Arguments are clipped to [-700, 700].
 */
// @ts-ignore: decorator
@inline
export function exponential(argument: f64): f64 {
  const x = max<f64>(-700, min<f64>(700, argument));
  const k = nearest(x * LOG2_E);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  const r2 = r * r;
  // Estrin's scheme: the halves do not wait for each other.
  const low = 1.0 + r + r2 * (0.5 + r * 0.16666666666666666);
  const middle = 0.041666666666666664 + r * 0.008333333333333333 + r2 * (0.001388888888888889 + r * 0.0001984126984126984);
  const high = 0.0000248015873015873 + r * 0.0000027557319223985893 + r2 * 2.755731922398589e-7;
  const r4 = r2 * r2;
  const value = low + r4 * (middle + r4 * high);
  return value * reinterpret<f64>(((<i64>k) + 1023) << 52);
}
