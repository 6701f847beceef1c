import { describe, expect, it } from 'vitest';
import {
  decideResident,
  ResidentWatch,
  residentMarks,
} from '../../../../src/serving/cache/resident-watch.ts';

const mebibyte = 1024 * 1024;
const marks = { softBytes: 1_000 * mebibyte, hardBytes: 1_100 * mebibyte };
const decide = (residentMiB: number, loadedMiB: number, handledMiB = 0) =>
  decideResident(marks, {
    residentBytes: residentMiB * mebibyte,
    loadedBytes: loadedMiB * mebibyte,
    handledBytes: handledMiB * mebibyte,
  });

describe('decideResident', () => {
  it('does nothing up to the soft mark', () => {
    expect(decide(1_000, 800)).toEqual({ action: 'none' });
  });

  it('has as much evicted as is above the soft mark', () => {
    expect(decide(1_030, 800)).toEqual({ action: 'shrink', toBytes: 770 * mebibyte });
    expect(decide(1_100, 40)).toEqual({ action: 'shrink', toBytes: 0 });
  });

  it('does not evict again for a height that it has answered, only for what grew since', () => {
    expect(decide(1_030, 770, 1_030)).toEqual({ action: 'none' });
    expect(decide(1_045, 770, 1_030)).toEqual({ action: 'none' });
    expect(decide(1_046, 770, 1_030)).toEqual({ action: 'shrink', toBytes: 754 * mebibyte });
  });

  it('recycles above the hard mark, whatever was done before', () => {
    expect(decide(1_101, 0, 1_101)).toEqual({ action: 'recycle' });
  });
});

describe('residentMarks', () => {
  it.each([
    // 1769 - 96 = 1673; 1673 - 64 = 1609
    [1769, 1609, 1673],
    // An eighth of 256 is 32, twice.
    [256, 192, 224],
  ])('of a function with %i MiB are %i and %i MiB', (memoryMiB, softMiB, hardMiB) => {
    expect(residentMarks(memoryMiB)).toEqual({
      softBytes: softMiB * mebibyte,
      hardBytes: hardMiB * mebibyte,
    });
  });
});

describe('ResidentWatch', () => {
  function watched(residentMiB: number) {
    const state = { residentMiB, looks: 0, loads: 0, shrunkTo: [] as number[] };
    const cache = {
      get loads() {
        return state.loads;
      },
      figures: () => ({ loadedBytes: 800 * mebibyte }),
      shrinkTo: async (bytes: number) => void state.shrunkTo.push(bytes / mebibyte),
    };
    const look = () => {
      state.looks++;
      return state.residentMiB * mebibyte;
    };
    return { state, watch: new ResidentWatch(marks, cache, look) };
  }

  it('looks after a load, and otherwise once in a second', () => {
    const { state, watch } = watched(500);
    for (const nowMs of [0, 1, 500, 999]) watch.endOfCall(nowMs);
    expect(state.looks).toBe(1);
    state.loads++;
    watch.endOfCall(999);
    expect(state.looks).toBe(2);
    watch.endOfCall(1_998);
    watch.endOfCall(1_999);
    expect(state.looks).toBe(3);
  });

  it('shrinks once for each height, and anew after memory has fallen', () => {
    const { state, watch } = watched(1_030);
    watch.endOfCall(0);
    watch.endOfCall(2_000);
    expect(state.shrunkTo).toEqual([770]);
    state.residentMiB = 900;
    watch.endOfCall(4_000);
    state.residentMiB = 1_010;
    watch.endOfCall(6_000);
    expect(state.shrunkTo).toEqual([770, 790]);
  });

  it('tells when the process is to be replaced', () => {
    const { state, watch } = watched(1_101);
    expect(watch.endOfCall(0)).toEqual({ action: 'recycle' });
    expect(state.shrunkTo).toEqual([]);
  });
});
