import type { TrialEnvironment } from '../contracts/environment-names.ts';
import type { ModelName } from '../contracts/names.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ServingPointer } from './serving-pointer.ts';

/** What a prediction reads: two small things and one file. */
export interface ServingStore {
  /**
   * @param environment production when left out
   * @returns `undefined` when the model is unknown or out of service there
   */
  pointer(
    tenant: TenantContext,
    model: ModelName,
    environment?: TrialEnvironment,
  ): Promise<ServingPointer | undefined>;
  /** @returns `undefined` when there is no such object */
  artifact(tenant: TenantContext, key: string): Promise<Uint8Array | undefined>;
  /** The secret of the MAC in prediction ids; the same for all functions of a deployment. */
  predictionIdKey(): Promise<Uint8Array>;
}
