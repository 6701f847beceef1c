import type { TrialEnvironment } from '../contracts/environment-names.ts';
import type { ManifestSignature } from '../contracts/models.ts';
import type { ModelName } from '../contracts/names.ts';
import type { ServingSettings } from '../contracts/serving.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';

/** One version of a model as predictions find it: where its bytes are, and what they must hash to. */
export interface ServingVariant {
  readonly version: string;
  readonly artifact_key: string;
  readonly artifact_sha256: string;
  readonly artifact_bytes: number;
  readonly manifest_key: string;
  readonly manifest_sha256: string;
  /** @default - the version was made before versions were signed */
  readonly signature?: ManifestSignature;
  /** A graph that was brought: it is run apart from those of other tenants. @default - one that was trained here */
  readonly origin?: 'imported';
}

/** Which version serves a model: a projection of the registry that a prediction reads instead of it. */
export interface ServingPointer extends ServingVariant {
  readonly model_name: ModelName;
  /** Each environment of a model has a pointer of its own. @default production */
  readonly environment?: TrialEnvironment;
  readonly revision: number;
  /** Takes `weight` of the calls, 0 to 1. */
  readonly canary?: ServingVariant & { readonly weight: number };
  /** Scores the same inputs when the log is written; nobody waits for its answers. */
  readonly shadow?: ServingVariant;
  readonly settings?: ServingSettings;
}

/** A model that was taken out of service keeps its revision, so that an older write cannot bring it back. */
export interface WithdrawnPointer {
  readonly model_name: ModelName;
  readonly environment?: TrialEnvironment;
  readonly revision: number;
  readonly withdrawn: true;
}

export interface ServingPointers {
  /** Writes the pointer unless a newer revision stands there. @returns false when one does */
  write(tenant: TenantContext, pointer: ServingPointer | WithdrawnPointer): Promise<boolean>;
}
