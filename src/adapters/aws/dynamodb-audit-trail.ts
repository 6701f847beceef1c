import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { encodeTime, monotonicFactory } from 'ulid';
import { type Clock, isoAt } from '../../clock.ts';
import type { AuditFilter, AuditTrail, RecordedEntry, TrailEntry } from '../../tenancy/audit-trail.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { DocumentClients } from './document-client.ts';

const newId = monotonicFactory();

/** An item an entry, and one more for each that came to nothing; functions may put and read, never change. */
export class DynamoDbAuditTrail implements AuditTrail {
  readonly #clients: DocumentClients;
  readonly #table: string;
  readonly #clock: Clock;

  constructor(clients: DocumentClients, table: string, clock: Clock) {
    this.#clients = clients;
    this.#table = table;
    this.#clock = clock;
  }

  async begin(tenant: TenantContext, { action, subject, detail }: TrailEntry): Promise<string> {
    const nowMs = this.#clock.nowMs();
    const auditId = newId(nowMs);
    await this.#put(tenant, itemKeys.audit(tenant, auditId), {
      ...{ audit_id: auditId, at: isoAt(nowMs), actor: tenant.actor, request_id: tenant.requestId },
      ...{ action, subject, detail },
    });
    return auditId;
  }

  async refused(tenant: TenantContext, auditId: string, code: string): Promise<void> {
    await this.#put(tenant, itemKeys.auditRefusal(tenant, auditId), { refused_with: code });
  }

  async read(
    tenant: TenantContext,
    { limit, before, ...filter }: { limit: number; before?: string | undefined } & AuditFilter,
  ): Promise<readonly RecordedEntry[]> {
    const { pk, first, last } = itemKeys.auditRange(tenant, before, timesOf(filter));
    // A range that ends before it begins holds nothing, and DynamoDB refuses it.
    if (last < first) return [];
    const client = await this.#clients.of(tenant);
    const found: RecordedEntry[] = [];
    const refusals = new Map<string, string>();
    let start: Record<string, unknown> | undefined;
    do {
      const page = await client.send(
        new QueryCommand({
          TableName: this.#table,
          KeyConditionExpression: 'pk = :pk AND sk BETWEEN :first AND :last',
          ExpressionAttributeValues: { ':pk': pk, ':first': first, ':last': last },
          ScanIndexForward: false,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        }),
      );
      // A refusal lies right behind its entry, and comes before it in this order.
      for (const item of page.Items ?? []) {
        if (item.refused_with !== undefined) {
          refusals.set(String(item.sk).split('/')[1]!, item.refused_with as string);
          continue;
        }
        const entry = entryOf(item, refusals);
        if (fits(entry, filter) && found.length < limit) found.push(entry);
      }
      start = page.LastEvaluatedKey;
    } while (start !== undefined && found.length < limit);
    return found;
  }

  async #put(
    tenant: TenantContext,
    key: { readonly pk: string; readonly sk: string },
    item: Record<string, unknown>,
  ): Promise<void> {
    const client = await this.#clients.of(tenant);
    await client.send(
      new PutCommand({
        TableName: this.#table,
        Item: { ...key, ...item },
        // Nothing that was said is unsaid.
        ConditionExpression: 'attribute_not_exists(pk)',
      }),
    );
  }
}

/** Within what an id can say: from 1970 for some eight thousand years. */
const idTime = (time: string): number => Math.min(Math.max(Date.parse(time), 0), 2 ** 48 - 1);

const timesOf = ({ from, to }: AuditFilter) => ({
  ...(from === undefined ? {} : { from: encodeTime(idTime(from)) }),
  ...(to === undefined ? {} : { to: encodeTime(idTime(to)) }),
});

const entryOf = (item: Record<string, unknown>, refusals: ReadonlyMap<string, string>): RecordedEntry => ({
  auditId: item.audit_id as string,
  at: item.at as string,
  actor: item.actor as string,
  requestId: item.request_id as string,
  action: item.action as string,
  subject: item.subject as string,
  detail: item.detail as Record<string, unknown>,
  refusedWith: refusals.get(item.audit_id as string),
});

function fits(entry: RecordedEntry, { subject, actor, action, from, to }: AuditFilter): boolean {
  const isSubject =
    subject === undefined || entry.subject === subject || entry.subject.startsWith(`${subject}/`);
  return (
    isSubject &&
    (actor === undefined || entry.actor === actor) &&
    (action === undefined || entry.action === action) &&
    (from === undefined || Date.parse(entry.at) >= Date.parse(from)) &&
    (to === undefined || Date.parse(entry.at) < Date.parse(to))
  );
}
