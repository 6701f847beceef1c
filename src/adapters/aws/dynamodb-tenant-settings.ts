import { GetCommand, ScanCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { Limits, type OwnSettings, type Retention } from '../../contracts/tenant.ts';
import { itemKeys, settingsSort } from '../../tenancy/keys.ts';
import type { RetentionWishes } from '../../tenancy/retention.ts';
import type { SettingsStore, StoredSettings } from '../../tenancy/settings.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { Agreements } from '../../tenancy/tenant-operations.ts';
import { conditionHeld, type DocumentClients } from './document-client.ts';

const limitNames = Object.keys(Limits.shape);

/**
 * Settings as the item of the serving table that the predict path reads: `plan` and limits are what is agreed with the
 * operator; `own`, as JSON, is what the tenant has set, and `revision` counts that.
 */
export class DynamoDbTenantSettings implements SettingsStore, Agreements, RetentionWishes {
  readonly #clients: DocumentClients;
  readonly #table: string;

  constructor(clients: DocumentClients, table: string) {
    this.#clients = clients;
    this.#table = table;
  }

  async read(tenant: TenantContext): Promise<StoredSettings> {
    const Key = itemKeys.tenantSettings(tenant);
    const client = await this.#clients.of(tenant);
    const { Item = {} } = await client.send(
      new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }),
    );
    const { plan, own, revision, changed_by, changed_at } = Item as Partial<Record<string, string>>;
    return {
      ...(plan === undefined ? {} : { plan }),
      agreed: Object.fromEntries(Object.entries(Item).filter(([name]) => limitNames.includes(name))),
      own: own === undefined ? {} : (JSON.parse(own) as OwnSettings),
      revision: Number(revision ?? 0),
      ...(changed_by === undefined ? {} : { changed_by }),
      ...(changed_at === undefined ? {} : { changed_at }),
    };
  }

  /**
   * Writes down what an operator agrees with the tenant; what the tenant has set itself stays.
   * @param options `once`: only where nothing was agreed before
   * @returns false when something was, and nothing was written
   */
  async agree(
    tenant: TenantContext,
    { plan, limits = {} }: { readonly plan?: string | undefined; readonly limits?: Limits | undefined },
    options: { readonly at: string; readonly once: boolean },
  ): Promise<boolean> {
    const agreed: Record<string, unknown> = { plan, ...limits, agreed_at: options.at };
    const given = Object.keys(agreed).filter((name) => agreed[name] !== undefined);
    const left = ['plan', ...limitNames].filter((name) => !given.includes(name));
    const client = await this.#clients.of(tenant);
    return conditionHeld(
      client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: itemKeys.tenantSettings(tenant),
          UpdateExpression: `SET ${given.map((name) => `#${name} = :${name}`).join(', ')}${left.length === 0 ? '' : ` REMOVE ${left.map((name) => `#${name}`).join(', ')}`}`,
          ...(options.once ? { ConditionExpression: 'attribute_not_exists(agreed_at)' } : {}),
          ExpressionAttributeNames: Object.fromEntries([...given, ...left].map((name) => [`#${name}`, name])),
          ExpressionAttributeValues: Object.fromEntries(given.map((name) => [`:${name}`, agreed[name]])),
        }),
      ),
    );
  }

  async write(
    tenant: TenantContext,
    own: OwnSettings,
    change: { readonly from: number; readonly changed_by: string; readonly changed_at: string },
  ): Promise<boolean> {
    const client = await this.#clients.of(tenant);
    return conditionHeld(
      client.send(
        new UpdateCommand({
          TableName: this.#table,
          Key: itemKeys.tenantSettings(tenant),
          UpdateExpression:
            'SET tenant = :tenant, own = :own, revision = :next, changed_by = :by, changed_at = :at',
          ConditionExpression: change.from === 0 ? 'attribute_not_exists(revision)' : 'revision = :from',
          ExpressionAttributeValues: {
            ':tenant': tenant.tenantId,
            ':own': JSON.stringify(own),
            ':next': change.from + 1,
            ':by': change.changed_by,
            ':at': change.changed_at,
            ...(change.from === 0 ? {} : { ':from': change.from }),
          },
        }),
      ),
    );
  }

  /** Read from the whole table: once a day, and there is one row a model besides. */
  async wishes(): Promise<{ reference: string; days: Retention }[]> {
    const wishes: { reference: string; days: Retention }[] = [];
    let from: Record<string, unknown> | undefined;
    do {
      const page = await this.#clients.own.send(
        new ScanCommand({
          TableName: this.#table,
          FilterExpression: 'sk = :settings AND contains(own, :retention)',
          ExpressionAttributeValues: { ':settings': settingsSort, ':retention': '"retention"' },
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      for (const { pk, sk, own } of page.Items ?? []) {
        const { retention } = JSON.parse(own as string) as OwnSettings;
        if (retention !== undefined) wishes.push({ reference: JSON.stringify({ pk, sk }), days: retention });
      }
      from = page.LastEvaluatedKey;
    } while (from !== undefined);
    return wishes;
  }

  /** The row of the settings, which an admin of the tenant wrote, says whose they are. */
  async ownerOf(reference: string): Promise<{ tenant: string; subject: string } | undefined> {
    const Key = JSON.parse(reference) as Record<string, string>;
    const { Item } = await this.#clients.own.send(new GetCommand({ TableName: this.#table, Key }));
    return Item === undefined
      ? undefined
      : { tenant: Item.tenant as string, subject: Item.changed_by as string };
  }
}
