import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { config, MissingSettingError } from '../../src/config.ts';
import { environmentKept } from '../support/environment.ts';

let restore: () => void;
beforeEach(() => {
  restore = environmentKept();
});
afterEach(() => restore());

const settings: [string, () => unknown][] = [
  ['LAMBDA_TASK_ROOT', () => config.taskRoot],
  ['AWS_REGION', () => config.region],
  ['ARTIFACT_BUCKET', () => config.artifactBucket],
  ['STAGING_BUCKET', () => config.stagingBucket],
  ['SERVING_TABLE', () => config.servingTable],
  ['JOBS_TABLE', () => config.jobsTable],
  ['INTENTS_TABLE', () => config.intentsTable],
  ['AUDIT_TABLE', () => config.auditTable],
  ['IDEMPOTENCY_TABLE', () => config.idempotencyTable],
  ['ACCESS_TABLE', () => config.accessTable],
  ['EVENT_BUS_NAME', () => config.eventBusName],
  ['TRAINING_STATE_MACHINE_ARN', () => config.trainingStateMachineArn],
  ['INGEST_STATE_MACHINE_ARN', () => config.ingestStateMachineArn],
  ['RELAY_FUNCTION_NAME', () => config.relayFunctionName],
  ['AWS_ACCESS_KEY_ID', () => config.credentials],
];

describe('config', () => {
  it.each(settings)('asks for %s by its name when it is missing or empty', (name, read) => {
    for (const value of [undefined, '']) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
      expect(read).toThrow(MissingSettingError);
      expect(read).toThrow(name);
    }
  });

  it.each(['DATABASE_HOST', 'DATABASE_NAME', 'DATABASE_USER'])('asks for %s of the database', (name) => {
    delete process.env.DATABASE_PORT;
    Object.assign(process.env, { DATABASE_HOST: 'h', DATABASE_NAME: 'n', DATABASE_USER: 'u' });
    expect(config.database).toEqual({ host: 'h', port: 5432, name: 'n', user: 'u' });
    delete process.env[name];
    expect(() => config.database).toThrow(name);
  });

  it.each(['OIDC_ISSUER', 'OIDC_AUDIENCE', 'OIDC_TENANT_CLAIM', 'OIDC_ROLE_CLAIM'])(
    'asks for %s of the issuer',
    (name) => {
      Object.assign(process.env, {
        OIDC_ISSUER: 'i',
        OIDC_AUDIENCE: 'a',
        OIDC_TENANT_CLAIM: 't',
        OIDC_ROLE_CLAIM: 'r',
      });
      expect(config.oidc).toEqual({ issuer: 'i', audience: 'a', tenantClaim: 't', roleClaim: 'r' });
      delete process.env[name];
      expect(() => config.oidc).toThrow(name);
    },
  );

  it.each(['0', '-1', '1.5', 'many', 'NaN', '1e400'])('refuses %s models in the cache', (value) => {
    process.env.ML_MODEL_CACHE_SIZE = value;
    expect(() => config.modelCacheSize).toThrow(`ML_MODEL_CACHE_SIZE=${value} must be a whole number`);
  });

  it('reads how long a slice of a training may be, and refuses what is no number of seconds', () => {
    delete process.env.TRAINING_SLICE_SECONDS;
    expect(config.trainingSliceSeconds).toBeUndefined();
    process.env.TRAINING_SLICE_SECONDS = '5';
    expect(config.trainingSliceSeconds).toBe(5);
    process.env.TRAINING_SLICE_SECONDS = '0.5';
    expect(() => config.trainingSliceSeconds).toThrow('TRAINING_SLICE_SECONDS=0.5 must be a whole number');
  });

  it('reads what the model cache may take', () => {
    Object.assign(process.env, { ML_TENANT_MAX_MEMORY_MB: '256', ML_ARTIFACT_DISK_MB: '100' });
    expect([config.tenantCacheBytes, config.artifactDiskBytes]).toEqual([256 * 2 ** 20, 100 * 2 ** 20]);
    process.env.ML_TENANT_MAX_MEMORY_MB = '0';
    expect(() => config.tenantCacheBytes).toThrow('ML_TENANT_MAX_MEMORY_MB=0 must be a whole number');
    for (const name of ['ML_TENANT_MAX_MEMORY_MB', 'ML_ARTIFACT_DISK_MB', 'ML_MODEL_CACHE_IDLE_MINUTES'])
      delete process.env[name];
    expect([config.tenantCacheBytes, config.artifactDiskBytes, config.modelCacheIdleMinutes]).toEqual([
      undefined,
      384 * 2 ** 20,
      30,
    ]);
  });

  it('reads the models to load before the first call, and refuses what is no such list', () => {
    delete process.env.PREWARM_MODELS;
    expect(config.prewarmModels).toEqual([]);
    process.env.PREWARM_MODELS = 'acme/income, beta/churn,';
    expect(config.prewarmModels).toEqual([
      { tenant: 'acme', model: 'income' },
      { tenant: 'beta', model: 'churn' },
    ]);
    for (const value of ['income', 'acme/', 'a/b/c']) {
      process.env.PREWARM_MODELS = value;
      expect(() => config.prewarmModels).toThrow(`PREWARM_MODELS=${value} must be a list`);
    }
  });

  it('has defaults for what may be left out', () => {
    for (const name of ['ML_MODEL_CACHE_SIZE', 'ML_TRAINING_TIMEOUT_MINUTES', 'TENANTML_STAGE'])
      delete process.env[name];
    expect([config.modelCacheSize, config.trainingTimeoutMinutes, config.stage]).toEqual([
      100,
      30,
      'unknown',
    ]);
  });
});
