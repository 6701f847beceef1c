import { describe, expect, it } from 'vitest';
import { StageSettingsError, stageSettings } from '../../infra/stage.ts';
import { stages } from '../../infra/stages.ts';
import { synthesize } from './support/synthesized-app.ts';

const oidc = { kind: 'oidc', issuer: 'https://identity.example.com', audience: 'tenantml' } as const;

function messageOf(definition: Record<string, unknown>): string {
  try {
    stageSettings('test', { test: definition });
  } catch (error) {
    expect(error).toBeInstanceOf(StageSettingsError);
    return (error as Error).message;
  }
  return 'accepted';
}

describe('stage settings', () => {
  it('accept the stages of the project', () => {
    for (const name of Object.keys(stages)) expect(stageSettings(name, stages).name).toBe(name);
  });

  it('have defaults for all but the identity', () => {
    expect(stageSettings('test', { test: { identity: oidc } })).toMatchObject({
      trainerMemoryMiB: { small: 1024, medium: 1769, large: 3008, ceiling: 3008 },
      trainingTimeoutMinutes: 30,
      database: { maxAcu: 2, autoPauseMinutes: 5, backupRetentionDays: 7 },
      logRetentionDays: 90,
      retentionDays: 90,
      removal: 'retain',
      identity: { tenantClaim: 'tenant', roleClaim: 'role' },
    });
    expect(messageOf({})).toContain('identity:');
  });

  it('name the stages that exist when one does not', () => {
    expect(() => stageSettings('staging', stages)).toThrow(
      /stage "staging" is not defined.*dev, prod, local/,
    );
    expect(() => stageSettings('toString', stages)).toThrow(/not defined/);
  });

  it.each([
    ['identity.issuer', { identity: { ...oidc, issuer: 'http://identity.example.com' } }, 'https'],
    ['identity.audience', { identity: { ...oidc, audience: '' } }, ''],
    ['identity.kind', { identity: { kind: 'saml' } }, ''],
    ['account', { identity: oidc, account: '123' }, '12 digits'],
    ['region', { identity: oidc, region: 'Frankfurt' }, 'eu-central-1'],
    ['trainerMemoryMiB.large', { identity: oidc, trainerMemoryMiB: { large: 8192 } }, 'ceiling'],
    ['trainerMemoryMiB', { identity: oidc, trainerMemoryMiB: { small: 2048 } }, 'small <= medium'],
    ['trainerMemoryMiB.ceiling', { identity: oidc, trainerMemoryMiB: { ceiling: 20_480 } }, '10240'],
    ['trainingTimeoutMinutes', { identity: oidc, trainingTimeoutMinutes: 1 }, '5'],
    ['database.maxAcu', { identity: oidc, database: { maxAcu: 0.5 } }, ''],
    ['logRetentionDays', { identity: oidc, logRetentionDays: 91 }, '90'],
    ['removal', { identity: oidc, removal: 'snapshot' }, 'retain'],
    ['alarms.email', { identity: oidc, alarms: { email: 'nobody' } }, ''],
    ['alarms.topicArn', { identity: oidc, alarms: { topicArn: 'ops' } }, 'SNS topic'],
  ])('refuse a bad %s by name', (setting, definition, detail) => {
    const message = messageOf(definition);
    expect(message).toContain(`  ${setting}: `);
    expect(message).toContain('infra/stages.ts');
    expect(message).toContain(detail);
  });

  it('refuse a setting that does not exist', () => {
    expect(messageOf({ identity: oidc, logRetention: 30 })).toContain('logRetention');
  });

  it('refuse a name that no stack could have', () => {
    expect(() => stageSettings('Prod_1', { Prod_1: { identity: oidc } })).toThrow(/name: must be 1 to 16/);
  });
});

describe('a stage with account and region', () => {
  it('is synthesized without asking the account for anything', () => {
    const app = synthesize({
      stage: 'prod',
      stages: {
        prod: {
          identity: oidc,
          account: '123456789012',
          region: 'eu-central-1',
          trainerMemoryMiB: { large: 8192, ceiling: 10_240 },
        },
      },
    });
    const memory = app
      .resources('AWS::Lambda::Function')
      .map(({ Properties }) => Properties.MemorySize as number | undefined);
    expect(memory).toContain(8192);
    expect(app.resources('AWS::EC2::Subnet')).toHaveLength(2);
  });
});
