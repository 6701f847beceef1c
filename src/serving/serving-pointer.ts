import type { ModelName } from '../contracts/names.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';

/** Which version serves a model: a projection of the registry that a prediction reads instead of it. */
export interface ServingPointer {
  readonly model_name: ModelName;
  readonly version: string;
  readonly artifact_key: string;
  readonly artifact_sha256: string;
  readonly artifact_bytes: number;
  readonly manifest_key: string;
  readonly manifest_sha256: string;
  readonly revision: number;
}

/** A model that was taken out of service keeps its revision, so that an older write cannot bring it back. */
export interface WithdrawnPointer {
  readonly model_name: ModelName;
  readonly revision: number;
  readonly withdrawn: true;
}

export interface ServingPointers {
  /** Writes the pointer unless a newer revision stands there. @returns false when one does */
  write(tenant: TenantContext, pointer: ServingPointer | WithdrawnPointer): Promise<boolean>;
}
