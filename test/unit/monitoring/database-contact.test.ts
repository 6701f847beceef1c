import { beforeEach, describe, expect, it } from 'vitest';
import {
  ContactTeller,
  type DatabaseContact,
  databaseCheck,
} from '../../../src/monitoring/database-contact.ts';
import { ManualClock } from '../../support/manual-clock.ts';

let kept: DatabaseContact[];
let isFailing: boolean;
let clock: ManualClock;
let teller: ContactTeller;

beforeEach(() => {
  kept = [];
  isFailing = false;
  clock = new ManualClock();
  const contacts = {
    put: async (contact: DatabaseContact) => {
      if (isFailing) throw new Error('DynamoDB is away');
      kept.push(contact);
    },
  };
  teller = new ContactTeller(contacts, clock);
});

describe('a function that uses the database', () => {
  it('says that it reached it once a minute', async () => {
    const startMs = clock.nowMs();
    for (let second = 0; second <= 120; second++) {
      await teller.tell(true);
      clock.advance(1_000);
    }
    expect(kept.map(({ atMs }) => atMs - startMs)).toEqual([0, 60_000, 120_000]);
  });

  it('says it once when calls overlap', async () => {
    await Promise.all(Array.from({ length: 10 }, () => teller.tell(true)));
    expect(kept).toHaveLength(1);
  });

  it('says at once that it is away, why, and that it is back', async () => {
    for (const reached of [true, false, false, true]) {
      await teller.tell(reached, reached ? undefined : 'ECONNREFUSED');
      clock.advance(10);
    }
    expect(kept.map(({ reached, code }) => [reached, code])).toEqual([
      [true, undefined],
      [false, 'ECONNREFUSED'],
      [true, undefined],
    ]);
  });

  it('does not fail by what cannot be kept, and says it again next time', async () => {
    isFailing = true;
    await teller.tell(true);
    isFailing = false;
    await teller.tell(true);
    expect(kept).toHaveLength(1);
  });
});

describe('what is said of the database', () => {
  const at = Date.parse('2026-01-31T12:00:00.000Z');
  const checked = (contact: Partial<DatabaseContact>, seconds: number) =>
    databaseCheck({ reached: true, atMs: at, ...contact }, at + seconds * 1_000);

  it('is nothing before anybody has used it', () => {
    expect(databaseCheck(undefined, at)).toEqual({ status: 'unknown' });
  });

  it('is that it was there, however long ago: it may sleep since', () => {
    const expected = { status: 'healthy', checked_at: '2026-01-31T12:00:00.000Z' };
    for (const seconds of [0, 3_600, 30 * 86_400]) expect(checked({}, seconds)).toEqual(expected);
  });

  it('is that it is away, for five minutes, and then that nobody knows', () => {
    const away = { reached: false, code: 'ECONNREFUSED' };
    expect(checked(away, 299)).toEqual({
      ...{ status: 'unhealthy', code: 'ECONNREFUSED', checked_at: '2026-01-31T12:00:00.000Z' },
    });
    expect(checked(away, 300)).toMatchObject({ status: 'unknown', code: 'ECONNREFUSED' });
  });
});
