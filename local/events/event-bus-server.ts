import { randomUUID } from 'node:crypto';
import { ACCOUNT_ID, arn, REGION } from '../aws/account.ts';
import { type ListeningServer, listen } from '../aws/http.ts';
import { type JsonOperationCall, jsonProtocolListener } from '../aws/json-protocol.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import { TwinError } from '../errors.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { CredentialRegistry } from '../iam/credential-registry.ts';
import type { DeployedResource, DeployedTemplate } from '../template/deployed-template.ts';
import { assertSupported, type BusEvent, matchesPattern } from './event-pattern.ts';
import { type TargetInput, targetInput } from './target-input.ts';
import type { TargetReference, Targets } from './targets.ts';

export interface EventBusServerOptions {
  readonly registry: CredentialRegistry;
  onFailure(error: unknown): void;
}

interface Rule {
  readonly bus: string;
  readonly arn: string;
  readonly pattern: unknown;
  readonly targets: readonly (TargetReference & TargetInput)[];
}

interface Entry {
  readonly Source?: string;
  readonly DetailType?: string;
  readonly Detail?: string;
  readonly EventBusName?: string;
  readonly Resources?: string[];
  readonly Time?: number;
}

const MAX_ENTRIES = 10;
const MAX_ENTRY_BYTES = 256 * 1024;

/** EventBridge: PutEvents on the default and the template's buses, rules with patterns, delivery to targets. */
export class EventBusServer {
  readonly #options: EventBusServerOptions;
  #buses: ReadonlySet<string> = new Set(['default']);
  #rules: readonly Rule[] = [];
  #deployed: { targets: Targets; authorizer: Authorizer } | undefined;
  #listening: ListeningServer | undefined;

  constructor(options: EventBusServerOptions) {
    this.#options = options;
  }

  async start(): Promise<string> {
    this.#listening = await listen(
      jsonProtocolListener({
        signingName: 'events',
        contentType: 'application/x-amz-json-1.1',
        registry: this.#options.registry,
        handle: (call) => this.#handle(call),
        onFailure: this.#options.onFailure,
      }),
    );
    return this.#listening.url;
  }

  deploy(template: DeployedTemplate, targets: Targets, authorizer: Authorizer): void {
    this.#buses = new Set([
      'default',
      ...template.ofType('AWS::Events::EventBus').map((bus) => bus.physicalId),
    ]);
    this.#rules = template.ofType('AWS::Events::Rule').flatMap((resource) => {
      const rule = toRule(resource);
      if (rule !== undefined && !this.#buses.has(rule.bus)) {
        throw new TwinError(
          'EVENT_BUS_UNKNOWN',
          `rule ${resource.label} is on the bus ${rule.bus}, which does not exist`,
        );
      }
      return rule === undefined ? [] : [rule];
    });
    this.#deployed = { targets, authorizer };
    targets.connectBus((bus, event) => this.publish(bus, event as BusEvent));
  }

  /** Sends an event of AWS itself, or one that passed the checks of PutEvents. */
  publish(bus: string, event: BusEvent): void {
    for (const rule of this.#rules) {
      if (rule.bus !== bus || !matchesPattern(rule.pattern, event)) continue;
      for (const target of rule.targets) {
        const delivered = this.#deployed?.targets.deliver(target, targetInput(target, event), {
          service: 'events',
          sourceArn: rule.arn,
        });
        delivered?.catch((error: unknown) => this.#options.onFailure(error));
      }
    }
  }

  async stop(): Promise<void> {
    await this.#listening?.close();
  }

  async #handle(call: JsonOperationCall): Promise<object> {
    if (call.operation !== 'PutEvents' || this.#deployed === undefined) {
      throw new AwsServiceError(
        'UnknownOperationException',
        `${call.operation} is not part of the local EventBridge`,
      );
    }
    const entries = call.input.Entries as Entry[] | undefined;
    if (!Array.isArray(entries) || entries.length === 0 || entries.length > MAX_ENTRIES) {
      throw new AwsServiceError('ValidationException', `Entries must hold 1 to ${MAX_ENTRIES} events`);
    }
    for (const bus of new Set(entries.map((entry) => busName(entry.EventBusName)))) {
      await this.#deployed.authorizer.require({
        principal: call.principal,
        action: 'events:PutEvents',
        resource: arn('events', `event-bus/${bus}`),
      });
    }
    const results = entries.map((entry) => this.#put(entry));
    return { FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results };
  }

  #put(entry: Entry): { EventId: string } | { ErrorCode: string; ErrorMessage: string } {
    const bus = busName(entry.EventBusName);
    if (!this.#buses.has(bus)) {
      return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: `Event bus ${bus} does not exist.` };
    }
    if (!entry.Source || !entry.DetailType || entry.Source.startsWith('aws.')) {
      return {
        ErrorCode: 'InvalidArgument',
        ErrorMessage: 'Source (not aws.*) and DetailType are required.',
      };
    }
    if (Buffer.byteLength(JSON.stringify(entry)) > MAX_ENTRY_BYTES) {
      return { ErrorCode: 'InvalidArgument', ErrorMessage: `Entry exceeds ${MAX_ENTRY_BYTES} bytes.` };
    }
    const detail = parseDetail(entry.Detail);
    if (detail === undefined) {
      return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
    }
    const event = busEvent(entry.Source, entry.DetailType, detail, entry.Resources ?? [], entry.Time);
    // After the answer, as on AWS, where delivery is not part of PutEvents.
    setImmediate(() => this.publish(bus, event));
    return { EventId: event.id };
  }
}

/** The envelope around every event. */
export function busEvent(
  source: string,
  detailType: string,
  detail: object,
  resources: readonly string[],
  timeSeconds?: number,
): BusEvent & { readonly id: string } {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': detailType,
    source,
    account: ACCOUNT_ID,
    time: `${new Date(timeSeconds === undefined ? Date.now() : timeSeconds * 1000).toISOString().slice(0, 19)}Z`,
    region: REGION,
    resources,
    detail,
  };
}

function toRule(resource: DeployedResource): Rule | undefined {
  const { EventBusName, EventPattern, Targets: targets, State } = resource.properties;
  if (State === 'DISABLED' || EventPattern === undefined) {
    return undefined; // a rule with a schedule belongs to the scheduler
  }
  const pattern = typeof EventPattern === 'string' ? JSON.parse(EventPattern) : EventPattern;
  assertSupported(pattern);
  const bus = busName(EventBusName as string | undefined);
  return {
    bus,
    arn: arn(
      'events',
      bus === 'default' ? `rule/${resource.physicalId}` : `rule/${bus}/${resource.physicalId}`,
    ),
    pattern,
    targets: (targets as (TargetReference & TargetInput)[] | undefined) ?? [],
  };
}

function busName(reference: string | undefined): string {
  return reference === undefined ? 'default' : reference.slice(reference.lastIndexOf('/') + 1);
}

function parseDetail(text: string | undefined): object | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
