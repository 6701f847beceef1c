// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of IAM policies are written so
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Stack } from '../../local/template/cloud-assembly.ts';
import { slice } from '../support/proof.ts';
import {
  labelOf,
  PolicyBench,
  type Service,
  sessionTenant,
  type TenantFunction,
  thatPass,
} from '../support/session-attacks.ts';

const victim = 'aa';
/** Of one name the victim's is a prefix; the other begins with it and a hyphen. */
const attackers = ['aab', 'aa-b', 'bb'];

const bench = new PolicyBench();
const byName = bench.functions.map((one) => [one.name, one] as const);

beforeAll(() => bench.start(victim));
afterAll(() => bench.stop());

const sessionOf = (target: TenantFunction, tenant: string) =>
  bench.session(target, bench.executionCredentials(target), { tenant });

/** Everything that a session of `tenant` may try on the victim, of one service or of all. */
async function attacksOf(target: TenantFunction, tenant: string, service?: Service) {
  const all = [
    ...bench.onData(await sessionOf(target, tenant), victim),
    bench.onEndpoints(target, tenant, victim),
  ];
  return service === undefined ? all : all.filter((attack) => attack.service === service);
}

describe('the template', () => {
  it('has tenant roles, buckets, tables and areas to try', () => {
    expect(bench.functions.length).toBeGreaterThan(10);
    expect(bench.buckets.length).toBeGreaterThan(3);
    expect(bench.tables.length).toBeGreaterThan(4);
    expect(bench.areas).toContain('models/');
  });

  it('has no tenant role that two functions share', () => {
    const roles = bench.functions.map(({ tenantRole }) => tenantRole);
    expect(new Set(roles).size).toBe(roles.length);
    for (const { tenantRole, executionRole } of bench.functions) expect(tenantRole).not.toBe(executionRole);
  });
});

const tableNames = [...new Set(bench.tables.map(({ name }) => labelOf(name)))];
/** What execution roles may do with more than one tenant's data, sorted; `docs/tenancy.md` says why. */
const seesMore: Readonly<Record<string, readonly string[]>> = {
  relay: ['read an item: intents'],
  retention: ['read an item: serving', 'scan items: serving'],
  tenants: ['delete an item', 'scan items']
    .flatMap((what) => tableNames.map((on) => `${what}: ${on}`))
    .sort(),
};

describe.each(byName)('a session of %s', (_name, target) => {
  it.each(slice(attackers.slice(0, 1), attackers))(
    'of tenant %s gets nothing of tenant aa, in any bucket or table',
    async (attacker) => {
      expect(await thatPass(await attacksOf(target, attacker))).toEqual([]);
    },
  );

  it('of tenant aa does what its function needs, with its own', async () => {
    const own = await thatPass(await attacksOf(target, victim));
    expect(own.length).toBeGreaterThan(0);
    // Not the bucket, whoever asks; a prefix without its slash is also that of another tenant.
    expect(own.filter((name) => /^(list (?!tenants\/aa\/)|scan)/.test(name))).toEqual([]);
  });

  it('is opened by this function alone, for one tenant at a time', async () => {
    expect(await thatPass(bench.onSessions(target))).toEqual([]);
    await expect(sessionOf(target, victim)).resolves.toBeDefined();
  });

  it('is the only way: the role of the function has nothing of any tenant', async () => {
    const passed = await thatPass(bench.onData(bench.executionCredentials(target), victim));
    expect(passed.sort()).toEqual(seesMore[target.name] ?? []);
  });
});

describe('a role of a function without tenants', () => {
  const others = bench.executionRoles.filter(
    (role) => !bench.functions.some(({ executionRole }) => executionRole === role),
  );

  it('has nothing of any tenant', async () => {
    expect(others.length).toBeGreaterThan(3);
    const passed = await Promise.all(
      others.map(async (executionRole) => {
        const credentials = bench.executionCredentials({ executionRole });
        const names = await thatPass(bench.onData(credentials, victim));
        return names.map((name) => `${executionRole}: ${name}`);
      }),
    );
    // It finds promotions that stopped half way, of all tenants, and hands their keys to the relay.
    expect(passed.flat()).toEqual([expect.stringMatching(/RepairRole\w+: scan items: intents$/)]);
  });
});

interface Seeded {
  readonly where: string;
  readonly target: TenantFunction;
  readonly service: Service;
  readonly stacks: readonly Stack[];
}

type Statement = { Action: string | string[]; Resource: unknown; Condition?: Record<string, unknown> };

/** The template with the tag taken out of one statement, for each statement that has it. */
function seededFaults(): Seeded[] {
  return bench.stacks.flatMap((stack, s) =>
    Object.entries(stack.template.Resources ?? {})
      .filter(([, { Type }]) => Type === 'AWS::IAM::Policy')
      .flatMap(([id, { Properties }]) => {
        const { PolicyDocument, Roles } = Properties as {
          PolicyDocument: { Statement: Statement[] };
          Roles: { Ref: string }[];
        };
        const role = bench.template
          .ofType('AWS::IAM::Role')
          .find((one) => one.stack === stack.name && one.logicalId === Roles[0]!.Ref);
        const target = bench.functions.find(({ tenantRole }) => tenantRole === role?.physicalId);
        return PolicyDocument.Statement.flatMap((statement, i) => {
          if (!JSON.stringify(statement).includes(sessionTenant) || target === undefined) return [];
          const stacks = structuredClone(bench.stacks) as Stack[];
          const fault = stacks[s]!.template.Resources![id]!.Properties as typeof Properties & {
            PolicyDocument: { Statement: Statement[] };
          };
          fault.PolicyDocument.Statement[i] = withoutTag(statement);
          const [action] = [statement.Action].flat();
          const service = action!.slice(0, action!.indexOf(':')) as Service;
          return [
            { where: `${target.name} ${i} ${[statement.Action].flat().join(' ')}`, target, service, stacks },
          ];
        });
      }),
  );
}

function withoutTag(statement: Statement): Statement {
  const { Condition, ...rest } = JSON.parse(
    JSON.stringify(statement).replaceAll(sessionTenant, '*'),
  ) as Statement;
  const kept = Object.entries(statement.Condition ?? {}).filter(
    ([, keys]) => !JSON.stringify(keys).includes(sessionTenant),
  );
  return { ...rest, ...(kept.length === 0 ? {} : { Condition: Object.fromEntries(kept) }) };
}

describe('a statement without its tag', () => {
  const all = seededFaults();
  /** The first of each service, of each function. */
  const some = all.filter(
    (one, i) => all.findIndex((other) => other.target === one.target && other.service === one.service) === i,
  );
  const faults = slice(some, all);

  afterAll(() => bench.enforce(bench.stacks));

  it('can be planted in every tenant role', () => {
    expect(new Set(faults.map(({ target }) => target.name))).toEqual(new Set(byName.map(([name]) => name)));
  });

  it.each(faults.map((fault) => [fault.where, fault] as const))('is caught: %s', async (_where, fault) => {
    bench.enforce(bench.stacks);
    const own = await thatPass(await attacksOf(fault.target, victim, fault.service));
    bench.enforce(fault.stacks);
    const leaks = await thatPass(await attacksOf(fault.target, attackers[0]!, fault.service));
    expect(leaks.length).toBeGreaterThan(0);
    // What the function may do with a tenant's own, or lists of everyone's: by name, not by a crash.
    expect(leaks.filter((name) => !own.includes(name) && !name.startsWith('list '))).toEqual([]);
  });
});

describe('a trust policy without one of its rules', () => {
  const rules = [
    ['Null', 'open a session without a tag'],
    ['StringLike', 'open a session of "a"'],
    ['StringNotLike', 'open a session of "a/b"'],
    ['ForAllValues:StringEquals', 'open a session with a tag beside the tenant'],
    ['Principal', 'open a session as another function'],
  ] as const;
  const predict = bench.functions.find(({ name }) => name === 'predict')!;

  afterAll(() => bench.enforce(bench.stacks));

  it.each(rules)('is caught: %s', async (rule, attack) => {
    const stacks = structuredClone(bench.stacks) as Stack[];
    const role = bench.template
      .ofType('AWS::IAM::Role')
      .find(({ physicalId }) => physicalId === predict.tenantRole)!;
    const { Properties } = stacks.find(({ name }) => name === role.stack)!.template.Resources![
      role.logicalId
    ]!;
    const { Statement } = (Properties as { AssumeRolePolicyDocument: { Statement: Statement[] } })
      .AssumeRolePolicyDocument;
    for (const statement of Statement) {
      if (rule === 'Principal') Object.assign(statement, { Principal: { AWS: '*' } });
      else delete statement.Condition![rule];
      // Without a tag the comparison fails of itself: the rule that asks for one is there for what it says.
      if (rule === 'Null') delete statement.Condition!.StringLike;
    }
    bench.enforce(stacks);
    expect(await thatPass(bench.onSessions(predict))).toContain(attack);
  });
});
