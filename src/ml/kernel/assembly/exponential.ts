const LOG2_E: f64 = 1.4426950408889634;
const LN2_HIGH: f64 = 0.6931471803691238;
const LN2_LOW: f64 = 1.9082149292705877e-10;

/**
 * e^x to about 1e-13 relative: x = k ln 2 + r with |r| <= ln 2 / 2, a polynomial for e^r, the exponent set by its bits.
 * Arguments are clipped to [-700, 700].
 */
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

/** 1.5 * 2^52: added to a number below 2^51, it leaves the number's integer in the low bits. */
export const INTEGER_MAGIC: f64 = 6755399441055744;

/** `exponential` for two numbers at once, to the same bits. */
@inline
export function exponentialPair(argument: v128): v128 {
  const x = f64x2.max(f64x2.splat(-700), f64x2.min(f64x2.splat(700), argument));
  const k = f64x2.nearest(f64x2.mul(x, f64x2.splat(LOG2_E)));
  const r = f64x2.sub(f64x2.sub(x, f64x2.mul(k, f64x2.splat(LN2_HIGH))), f64x2.mul(k, f64x2.splat(LN2_LOW)));
  const r2 = f64x2.mul(r, r);
  const low = f64x2.add(
    f64x2.add(f64x2.splat(1), r),
    f64x2.mul(r2, f64x2.add(f64x2.splat(0.5), f64x2.mul(r, f64x2.splat(0.16666666666666666)))),
  );
  const middle = f64x2.add(
    f64x2.add(f64x2.splat(0.041666666666666664), f64x2.mul(r, f64x2.splat(0.008333333333333333))),
    f64x2.mul(r2, f64x2.add(f64x2.splat(0.001388888888888889), f64x2.mul(r, f64x2.splat(0.0001984126984126984)))),
  );
  const high = f64x2.add(
    f64x2.add(f64x2.splat(0.0000248015873015873), f64x2.mul(r, f64x2.splat(0.0000027557319223985893))),
    f64x2.mul(r2, f64x2.splat(2.755731922398589e-7)),
  );
  const r4 = f64x2.mul(r2, r2);
  const value = f64x2.add(low, f64x2.mul(r4, f64x2.add(middle, f64x2.mul(r4, high))));
  const exponent = i64x2.add(f64x2.add(k, f64x2.splat(INTEGER_MAGIC)), i64x2.splat(1023));
  return f64x2.mul(value, i64x2.shl(exponent, 52));
}
