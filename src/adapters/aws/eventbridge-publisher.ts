import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ulid } from 'ulid';
import { type Clock, isoAt } from '../../clock.ts';
import type { EventPublisher, PlatformEvent } from '../../registry/event-publisher.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';

/** CloudEvents on an event bus: the detail is the whole CloudEvent, the detail type its type. */
export class EventBridgePublisher implements EventPublisher {
  readonly #client = new EventBridgeClient({ maxAttempts: 3 });
  readonly #busName: string;
  readonly #clock: Clock;
  readonly #onFailure: (error: unknown) => void;

  /** @param onFailure hears of an event that could not be told; the fact itself is stored already */
  constructor(busName: string, clock: Clock, onFailure: (error: unknown) => void) {
    this.#busName = busName;
    this.#clock = clock;
    this.#onFailure = onFailure;
  }

  async publish(tenant: TenantContext, event: PlatformEvent): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const cloudEvent = {
      specversion: '1.0',
      id: ulid(nowMs),
      source: 'tenantml',
      type: event.type,
      subject: event.subject,
      time: isoAt(nowMs),
      tenant: tenant.tenantId,
      datacontenttype: 'application/json',
      data: event.data,
    };
    try {
      const { Entries = [] } = await this.#client.send(
        new PutEventsCommand({
          Entries: [
            {
              EventBusName: this.#busName,
              Source: 'tenantml',
              DetailType: event.type,
              Detail: JSON.stringify(cloudEvent),
              Time: new Date(nowMs),
            },
          ],
        }),
      );
      const refused = Entries.find(({ ErrorCode }) => ErrorCode !== undefined);
      if (refused !== undefined) throw new Error(`${refused.ErrorCode}: ${refused.ErrorMessage}`);
    } catch (error) {
      this.#onFailure(error);
    }
  }
}
