import type { TenantContext } from '../tenancy/tenant-context.ts';

/** Something that happened, as CloudEvents 1.0 says it. */
export interface PlatformEvent {
  /** `ml.training.completed`, `ml.model.promoted`, … */
  readonly type: string;
  readonly subject: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Tells others what happened. What is told has been stored before: a lost event loses no fact. */
export interface EventPublisher {
  publish(tenant: TenantContext, event: PlatformEvent): Promise<void>;
}
