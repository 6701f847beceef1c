import type { TrialEnvironment } from '../../contracts/environment-names.ts';
import type { ModelManifest } from '../../contracts/models.ts';
import type { ModelName } from '../../contracts/names.ts';
import type { ServingSettings } from '../../contracts/serving.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { FeatureBatch } from '../feature-batch.ts';
import type { GraphOutput } from '../model-executor.ts';
import type { LogPosition } from '../prediction-id.ts';
import type { ServingVariant } from '../serving-pointer.ts';

/** One call as the log keeps it: what went in and what came out, by columns, turned into text when it is written. */
export interface LoggedCall {
  readonly model: ModelName;
  readonly version: string;
  readonly manifest: ModelManifest;
  readonly settings: ServingSettings | undefined;
  readonly batch: FeatureBatch;
  readonly output: GraphOutput;
  readonly ids: readonly string[];
  readonly atMs: number;
  readonly requestId: string;
  /** @default production */
  readonly environment?: TrialEnvironment | undefined;
  /** A version that scores the same inputs when the call is written, and whose answers nobody waits for. */
  readonly shadow?: ServingVariant | undefined;
}

/** Keeps predictions, so that they can be shown, compared with what came true, and replayed. */
export interface PredictionLog {
  /** Sets places aside for the rows of a call; ids are made of them. */
  place(tenant: TenantContext, nRows: number, nowMs: number): LogPosition;
  /** @returns when the call is safe, which for a buffered log is at once */
  add(tenant: TenantContext, position: LogPosition, call: LoggedCall): void | Promise<void>;
}

/** What a shadow gave for the rows of a call. */
export interface ShadowResult {
  readonly version: string;
  /** `undefined` where it could not be scored: the version is gone, or takes other inputs. */
  readonly output: GraphOutput | undefined;
  readonly manifest: ModelManifest | undefined;
}
