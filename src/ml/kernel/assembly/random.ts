let state: u32 = 1;

/** Random numbers of the tree that a thread is growing: xorshift (Marsaglia 2003), seeded by seed and tree. */
export namespace Rng {
  export function seed(seed: u32, tree: u32): void {
    let x = seed * 0x9e3779b1 + (tree + 1) * 0x85ebca6b;
    x = (x ^ (x >> 16)) * 0x7feb352d;
    x = (x ^ (x >> 15)) * 0x846ca68b;
    x ^= x >> 16;
    state = x == 0 ? 1 : x;
  }

  export function next(): u32 {
    let x = state;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    state = x;
    return x;
  }

  /** Uniform in [0, bound). */
  export function below(bound: u32): u32 {
    return <u32>((<u64>next() * <u64>bound) >> 32);
  }
}
