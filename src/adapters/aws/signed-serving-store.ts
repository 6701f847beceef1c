import type { TrialEnvironment } from '../../contracts/environment-names.ts';
import type { ModelName } from '../../contracts/names.ts';
import type { OwnSettings } from '../../contracts/tenant.ts';
import type {
  TenantLimits,
  TenantSettings,
  TenantSettingsStore,
} from '../../serving/limits/tenant-limits.ts';
import type { ServingPointer } from '../../serving/serving-pointer.ts';
import type { ServingStore } from '../../serving/serving-store.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { SignedObjects } from './signed-objects.ts';
import type { AttributeValue, Item, SignedTable } from './signed-table.ts';

/** The serving table and the artifact bucket, read without the SDK. */
export class SignedServingStore implements ServingStore, TenantSettingsStore {
  readonly #table: SignedTable;
  readonly #objects: SignedObjects;

  constructor(table: SignedTable, objects: SignedObjects) {
    this.#table = table;
    this.#objects = objects;
  }

  async pointer(
    tenant: TenantContext,
    model: ModelName,
    environment?: TrialEnvironment,
  ): Promise<ServingPointer | undefined> {
    const item = await this.#table.get(tenant, itemKeys.servingPointer(tenant, model, environment));
    if (item === undefined || item.withdrawn?.BOOL === true) return undefined;
    return {
      model_name: model,
      ...(environment === undefined ? {} : { environment }),
      version: item.version!.S!,
      artifact_key: item.artifact_key!.S!,
      artifact_sha256: item.artifact_sha256!.S!,
      artifact_bytes: Number(item.artifact_bytes!.N),
      manifest_key: item.manifest_key!.S!,
      manifest_sha256: item.manifest_sha256!.S!,
      // Written as JSON: what is nested would take a reader of DynamoDB's types.
      ...parsed(item, 'signature'),
      ...(item.origin?.S === 'imported' ? { origin: 'imported' } : {}),
      revision: Number(item.revision!.N),
      ...parsed(item, 'canary'),
      ...parsed(item, 'shadow'),
      ...parsed(item, 'settings'),
    };
  }

  artifact(tenant: TenantContext, key: string): Promise<Uint8Array | undefined> {
    return this.#objects.get(tenant, key);
  }

  async predictionIdKey(): Promise<Uint8Array> {
    const item = await this.#table.get('platform', itemKeys.predictionIdKey);
    if (item?.secret?.B === undefined)
      throw new Error('the key of prediction ids is missing; run the migration function');
    return Buffer.from(item.secret.B, 'base64');
  }

  /** @returns the public half of a key that signs manifests */
  async publicKey(keyId: string): Promise<Uint8Array | undefined> {
    const item = await this.#table.get('platform', itemKeys.signingKey(keyId));
    return item?.public_key?.B === undefined ? undefined : Buffer.from(item.public_key.B, 'base64');
  }

  async settings(tenant: TenantContext): Promise<TenantSettings | undefined> {
    const item = await this.#table.get(tenant, itemKeys.tenantSettings(tenant));
    if (item === undefined) return undefined;
    return {
      ...(item.plan?.S === undefined ? {} : { plan: item.plan.S }),
      ...limit(item.requests_per_second, 'requestsPerSecond'),
      ...limit(item.burst, 'burst'),
      ...limit(item.concurrency, 'concurrency'),
      ...limit(item.max_memory_mb, 'maxMemoryMiB'),
      ...limit(item.max_models, 'maxModels'),
      ...ownSettings(item),
    };
  }
}

const limit = (value: AttributeValue | undefined, name: keyof TenantSettings): Record<string, number> =>
  value?.N === undefined ? {} : { [name]: Number(value.N) };

/** What the tenant has set itself, once a minute. */
function ownSettings({ own }: Item): Pick<TenantSettings, 'lowered' | 'logFeatures'> {
  if (own?.S === undefined) return {};
  const { limits = {}, log_features } = JSON.parse(own.S) as OwnSettings;
  const lowered = {
    ...lowerLimit(limits.requests_per_second, 'requestsPerSecond'),
    ...lowerLimit(limits.burst, 'burst'),
    ...lowerLimit(limits.concurrency, 'concurrency'),
    ...lowerLimit(limits.max_memory_mb, 'maxMemoryMiB'),
    ...lowerLimit(limits.max_models, 'maxModels'),
  };
  return { lowered, ...(log_features === undefined ? {} : { logFeatures: log_features }) };
}

const lowerLimit = (value: number | undefined, name: keyof TenantLimits): TenantLimits =>
  value === undefined ? {} : { [name]: value };

const parsed = (item: Item, name: string): Record<string, never> =>
  item[name]?.S === undefined ? {} : { [name]: JSON.parse(item[name].S) as never };
