import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mannWhitneyP } from '../support/mann-whitney.ts';
import { isWhole, slice } from '../support/proof.ts';
import { createSample, runTwin } from '../support/running-twin.ts';
import { families } from './isolation/attacks.ts';
import { type Finding, judge } from './isolation/judge.ts';
import { Mutant } from './isolation/mutant.ts';
import { changesBetween, ownerState } from './isolation/owner-state.ts';
import { makeWorld, owner, type World } from './isolation/world.ts';

let world: World;
let before: Awaited<ReturnType<typeof ownerState>>;
let sent = 0;

beforeAll(async () => {
  world = await makeWorld();
  before = await ownerState(world);
}, 120_000);
afterAll(() => world?.stop());

describe('attacks of a tenant on another', () => {
  it.each(Object.keys(families))(
    'by %s find nothing, change nothing and cannot tell what exists',
    async (family) => {
      const attacks = families[family]!(world);
      const findings: Finding[] = [];
      for (const attack of attacks) findings.push(...(await judge(world, attack)));
      sent += attacks.length;
      expect(findings).toEqual([]);
      expect(changesBetween(before, await ownerState(world))).toEqual([]);
    },
    120_000,
  );

  it('are at least 500, and each has a name of its own', () => {
    const names = Object.values(families).flatMap((family) => family(world).map(({ name }) => name));
    expect(names.length).toBe(sent);
    expect(sent).toBeGreaterThanOrEqual(500);
    expect(names.filter((name, i) => names.indexOf(name) !== i)).toEqual([]);
    process.stdout.write(`${sent} attacks on the data of ${owner}: 0 leaks, 0 changes\n`);
  });
});

/** The attacks that find something once a wall is taken away, by family and operation. */
async function foundBy(mutated: World, only: readonly string[]): Promise<string[]> {
  const found = new Set<string>();
  for (const family of only)
    for (const attack of families[family]!(mutated))
      for (const { kind } of await judge(mutated, attack))
        if (kind !== 'failure') found.add(attack.name.split(' ').slice(0, 4).join(' '));
  return [...found];
}

describe('the time of an answer', () => {
  it('tells nothing of what another tenant has', async () => {
    const nPairs = slice(100, 2_000);
    for (const path of ['/api/v1/ml/models/private', '/api/v1/ml/models/private/versions/1']) {
      const timed = async (of: string): Promise<number> => {
        const startMs = performance.now();
        await world.send({ method: 'GET', path: path.replace('private', of) }, world.attackerToken);
        return performance.now() - startMs;
      };
      const [theirs, nobodys]: [number[], number[]] = [[], []];
      for (let i = -20; i < nPairs; i++) {
        // In turns, and each first as often as the other.
        const [first, second] = i % 2 === 0 ? ['private', 'absents'] : ['absents', 'private'];
        const [a, b] = [await timed(first), await timed(second)];
        if (i < 0) continue;
        theirs.push(i % 2 === 0 ? a : b);
        nobodys.push(i % 2 === 0 ? b : a);
      }
      expect(mannWhitneyP(theirs, nobodys), path).toBeGreaterThan(0.001);
    }
  }, 120_000);
});

describe('the attacks are proven by faults that are planted', () => {
  const planted: World[] = [];
  const mutants: Mutant[] = [];
  afterAll(async () => {
    for (const one of planted) await one.stop();
    for (const one of mutants) one.remove();
  });
  const mutant = (name: string) => {
    const made = new Mutant(name);
    mutants.push(made);
    return made;
  };
  const worldOf = async (made?: Mutant) => {
    const one = await makeWorld(made === undefined ? {} : { cloudAssembly: made.folder });
    planted.push(one);
    return one;
  };

  it.each([
    ['ml_model_versions', 'same names', 'same name: listVersions'],
    ['ml_model_aliases', 'same names', 'same name: listAliases'],
    ['ml_model_environments', 'same names', 'same name: getModel'],
    ['ml_stage_transitions', 'same names', 'same name: listStageTransitions'],
    ['ml_deployments', 'same names', 'same name: listDeployments'],
    ['ml_audit', 'stated tenants', 'stated tenant: listAudit by'],
    ['ml_models', 'foreign ids', 'foreign id: getModel'],
  ])(
    'row level security off on %s is caught among %s by "%s"',
    async (table, family, attack) => {
      // One for all of them, in which nothing was attacked before.
      const mutated = planted[0] ?? (await worldOf());
      const sql = mutated.running.twin.database.connect();
      try {
        await sql`ALTER TABLE ${sql(table)} DISABLE ROW LEVEL SECURITY`;
        expect(await foundBy(mutated, [family])).toContain(attack);
      } finally {
        await sql`ALTER TABLE ${sql(table)} ENABLE ROW LEVEL SECURITY`;
        await sql.end();
      }
    },
    120_000,
  );

  const unprefixed = (made: Mutant) =>
    made.code(/`tenants\/\$\{(\w+)\.tenantId\}\/`/g, '`tenants/everyone/`');

  it.runIf(isWhole)(
    'keys of objects without their tenant lead nowhere: the session of a tenant may not read them',
    async () => {
      const made = mutant('keys');
      expect(unprefixed(made)).toBeGreaterThan(5);
      const running = await runTwin({ cloudAssembly: made.folder });
      try {
        await expect(createSample(running.client(owner))).rejects.toMatchObject({
          code: 'STORE_ACCESS_DENIED',
        });
      } finally {
        await running.stop();
      }
    },
    120_000,
  );

  // A world of its own for each costs seconds: `npm run prove:isolation` has all of them, `npm test` the last.
  it.runIf(isWhole)(
    'such keys and policies without their tenant are caught by "foreign id: getDataset"',
    async () => {
      const made = mutant('keys-and-policies');
      expect(unprefixed(made)).toBeGreaterThan(5);
      expect(made.policies(/tenants\/\$\{aws:PrincipalTag\/tenant\}\//g, 'tenants/*/')).toBeGreaterThan(5);
      expect(await foundBy(await worldOf(made), ['foreign ids'])).toContain('foreign id: getDataset');
    },
    120_000,
  );

  it('keys of caches without their tenant are caught by "cache probe: predict"', async () => {
    const made = mutant('cache');
    // Pointers alone would not do: a manifest is signed for its tenant, and no other's process would load it.
    expect(made.code(/`\$\{(\w+)\.tenantId\}\/\$\{(\w+)\}`/g, '`everyone/$' + '{$2}`')).toBeGreaterThan(0);
    expect(made.code(/\{tenantId:\w+\.tenantId,id:/g, '{tenantId:"everyone",id:')).toBeGreaterThan(0);
    const found = await foundBy(await worldOf(made), ['cache probes']);
    expect(found.map((name) => name.replace(/ \d$/, ''))).toContain('cache probe: predict');
  }, 120_000);
});
