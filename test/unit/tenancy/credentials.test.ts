import { describe, expect, it } from 'vitest';
import { KeptSessions, type SessionCredentials } from '../../../src/tenancy/credentials.ts';
import type { TenantContext } from '../../../src/tenancy/tenant-context.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { tenantA, tenantB, tenantNamed } from '../../support/tenants.ts';

const minuteMs = 60_000;

/** Sessions of an hour that are opened when the test says so. */
function sessions() {
  const clock = new ManualClock();
  const opened: string[] = [];
  const waiting: { answer: () => void; fail: (error: Error) => void }[] = [];
  const open = ({ tenantId }: TenantContext) =>
    new Promise<SessionCredentials>((resolve, reject) => {
      opened.push(tenantId);
      const session = {
        accessKeyId: `${tenantId}-${opened.length}`,
        ...{ secretAccessKey: 's', sessionToken: 't', expiresAtMs: clock.nowMs() + 60 * minuteMs },
      };
      waiting.push({ answer: () => resolve(session), fail: reject });
    });
  const answerAll = () => {
    for (const { answer } of waiting.splice(0)) answer();
  };
  const kept = new KeptSessions(open, clock);
  /** A session that STS gives at once. */
  const of = async (tenant: TenantContext, leftMs?: number) => {
    const session = kept.of(tenant, leftMs);
    await Promise.resolve();
    answerAll();
    return (await session).accessKeyId;
  };
  return { kept, clock, opened, waiting, answerAll, of };
}

describe('sessions of tenants', () => {
  it('are opened once for each tenant, and never shared', async () => {
    const { of, opened } = sessions();
    expect([await of(tenantA), await of(tenantB), await of(tenantA)]).toEqual(['aa-1', 'bb-2', 'aa-1']);
    expect(opened).toEqual(['aa', 'bb']);
  });

  it('take one call, however many wait for it', async () => {
    const { kept, opened, answerAll } = sessions();
    const all = Promise.all([kept.of(tenantA), kept.of(tenantA), kept.of(tenantA)]);
    await Promise.resolve();
    answerAll();
    expect(new Set((await all).map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['aa-1']));
    expect(opened).toEqual(['aa']);
  });

  it('are followed by another after four fifths of their life, while nobody waits', async () => {
    const { kept, clock, of, opened, answerAll } = sessions();
    await of(tenantA);
    clock.advance(48 * minuteMs - 1);
    expect(await of(tenantA)).toBe('aa-1');
    expect(opened).toHaveLength(1);
    clock.advance(1);
    expect((await kept.of(tenantA)).accessKeyId).toBe('aa-1');
    expect((await kept.of(tenantA)).accessKeyId).toBe('aa-1');
    expect(opened).toHaveLength(2);
    answerAll();
    await new Promise(setImmediate);
    expect((await kept.of(tenantA)).accessKeyId).toBe('aa-2');
  });

  it('serve on when a renewal fails, and are renewed by the next call', async () => {
    const { kept, clock, of, opened, waiting } = sessions();
    await of(tenantA);
    clock.advance(50 * minuteMs);
    await kept.of(tenantA);
    waiting.pop()!.fail(new Error('STS is away'));
    await new Promise(setImmediate);
    expect((await kept.of(tenantA)).accessKeyId).toBe('aa-1');
    expect(opened).toHaveLength(3);
  });

  it('are waited for when the last one has all but ended', async () => {
    const { clock, of } = sessions();
    await of(tenantA);
    clock.advance(59 * minuteMs + 1);
    expect(await of(tenantA)).toBe('aa-2');
  });

  it('last as long as a link needs that is signed with them', async () => {
    const { clock, of } = sessions();
    await of(tenantA);
    clock.advance(30 * minuteMs);
    expect(await of(tenantA, 30 * minuteMs)).toBe('aa-1');
    expect(await of(tenantA, 30 * minuteMs + 1)).toBe('aa-2');
  });

  it('fail for all who wait, and are asked for again by the next', async () => {
    const { kept, of, waiting } = sessions();
    const all = Promise.allSettled([kept.of(tenantA), kept.of(tenantA)]);
    await Promise.resolve();
    waiting.pop()!.fail(new Error('STS is away'));
    expect((await all).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await of(tenantA)).toBe('aa-2');
  });

  it('are kept for the 256 tenants that were seen last', async () => {
    const { of, opened } = sessions();
    for (let i = 0; i < 256; i++) await of(tenantNamed(`t${i}x`));
    await of(tenantNamed('t0x'));
    await of(tenantA);
    expect(opened).toHaveLength(257);
    await of(tenantNamed('t0x'));
    expect(opened).toHaveLength(257);
    await of(tenantNamed('t1x'));
    expect(opened).toHaveLength(258);
  });
});
