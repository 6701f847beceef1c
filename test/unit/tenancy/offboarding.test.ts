import { beforeEach, describe, expect, it } from 'vitest';
import { Offboarding, type OffboardingState, type SweepOptions } from '../../../src/tenancy/offboarding.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tenantA } from '../../support/tenants.ts';

/** A store that holds numbers of things, and gives up a few of them at a time. */
class Things {
  readonly name: string;
  left: number;
  readonly #atATime: number;
  /** Where it was asked to go on. */
  readonly asked: unknown[] = [];
  constructor(name: string, left: number, atATime = Number.POSITIVE_INFINITY) {
    this.name = name;
    this.left = left;
    this.#atATime = atATime;
  }
  async remove(_: unknown, { from }: SweepOptions) {
    this.asked.push(from);
    const found = Math.min(this.left, this.#atATime);
    this.left -= found;
    return this.left === 0 ? { found } : { found, next: { left: this.left } };
  }
  async count() {
    return { found: this.left };
  }
}

let clock: ManualClock;
let kept: OffboardingState | undefined;
let access: Things;
let data: Things;
let offboarding: Offboarding;

beforeEach(() => {
  clock = new ManualClock();
  kept = undefined;
  access = new Things('access', 3);
  data = new Things('data', 10, 4);
  offboarding = new Offboarding({
    offboardings: {
      block: async (_, first) => {
        kept ??= first;
      },
      state: async () => kept,
      save: async (_, state) => {
        kept = structuredClone(state);
      },
    },
    ...{ stores: [access, data], waitsSeconds: [0, 300, 900], clock },
  });
});

const run = () => offboarding.run(tenantA, () => true);

describe('offboarding', () => {
  it('removes at once, again when the gateway has forgotten, and a last time when no call is left that could write', async () => {
    const first = await run();
    expect(first).toMatchObject({ status: 'waiting', removed: { access: 3, data: 10 } });
    expect(Date.parse(first.again_at!) - clock.nowMs()).toBe(300_000);
    // Written by a call that the gateway let through.
    data.left = 1;
    clock.advance(299_999);
    expect(await run()).toMatchObject({ status: 'waiting', removed: { data: 10 } });
    clock.advance(1);
    const second = await run();
    expect(second).toMatchObject({ status: 'waiting', removed: { data: 11 } });
    expect(Date.parse(second.again_at!) - clock.nowMs()).toBe(900_000);
    // Written by a step of a job that was under way.
    data.left = 1;
    clock.advance(900_000);
    expect(await run()).toMatchObject({ status: 'empty', removed: { access: 3, data: 12 } });
    expect(kept).toMatchObject({ phase: 'empty' });
  });

  it('goes on where it was when its time was up', async () => {
    const slice = () => offboarding.run(tenantA, () => false);
    const seen = [];
    for (let i = 0; i < 5; i++) seen.push((await slice()).removed);
    expect(seen).toEqual([{ access: 3 }, ...[4, 8, 10, 10].map((n) => ({ access: 3, data: n }))]);
    expect((await slice()).status).toBe('waiting');
    expect(data.asked).toEqual([undefined, { left: 6 }, { left: 2 }]);
  });

  it('is not over while the last look finds something', async () => {
    for (const seconds of [0, 300]) {
      clock.advance(seconds * 1000);
      await run();
    }
    let looks = 0;
    data.count = async () => ({ found: looks++ === 0 ? 1 : 0 });
    clock.advance(900_000);
    expect((await run()).status).toBe('empty');
    expect(looks).toBe(2);
  });

  it('may be asked again after its end: it looks once more, and removes what came meanwhile', async () => {
    for (const seconds of [0, 300, 900]) {
      clock.advance(seconds * 1000);
      await run();
    }
    const { emptied_at } = await run();
    clock.advance(60_000);
    data.left = 2;
    const again = await run();
    expect(again).toMatchObject({ status: 'empty', removed: { data: 12 } });
    expect(again.emptied_at).not.toBe(emptied_at);
    expect(data.left).toBe(0);
  });
});
