import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { TenantId } from '../../contracts/names.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { OffboardingState, Offboardings } from '../../tenancy/offboarding.ts';
import type { JobOwners, TenantContext } from '../../tenancy/tenant-context.ts';
import { isConditionFailure } from './document-client.ts';

/** Marks of offboarded tenants in the table of access: outside of their partitions, which are emptied. */
export class DynamoDbOffboardings implements Offboardings, JobOwners {
  readonly #client: DynamoDBDocumentClient;
  readonly #table: string;

  constructor(client: DynamoDBDocumentClient, table: string) {
    this.#client = client;
    this.#table = table;
  }

  async block(tenant: TenantContext, first: OffboardingState): Promise<void> {
    try {
      await this.#client.send(
        new PutCommand({
          TableName: this.#table,
          Item: {
            ...itemKeys.offboarding(tenant),
            ...{ offboarded: tenant.tenantId, by: tenant.actor, state: JSON.stringify(first) },
          },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      );
    } catch (error) {
      if (!isConditionFailure(error)) throw error;
    }
  }

  async state(tenant: TenantContext): Promise<OffboardingState | undefined> {
    const item = await this.#item(tenant);
    return item === undefined ? undefined : (JSON.parse(item.state!) as OffboardingState);
  }

  async save(tenant: TenantContext, state: OffboardingState): Promise<void> {
    await this.#client.send(
      new UpdateCommand({
        TableName: this.#table,
        Key: itemKeys.offboarding(tenant),
        UpdateExpression: 'SET #state = :state',
        ExpressionAttributeNames: { '#state': 'state' },
        ExpressionAttributeValues: { ':state': JSON.stringify(state) },
      }),
    );
  }

  /** The mark of an offboarded tenant, which an operator made, says whose data may be removed; nobody else's is. */
  async ownerOf(reference: string): Promise<{ tenant: string; subject: string } | undefined> {
    const tenantId = TenantId.safeParse(reference);
    const item = tenantId.success ? await this.#item({ tenantId: tenantId.data }) : undefined;
    return item === undefined ? undefined : { tenant: item.offboarded!, subject: item.by! };
  }

  async #item(of: Pick<TenantContext, 'tenantId'>): Promise<Partial<Record<string, string>> | undefined> {
    const { Item } = await this.#client.send(
      new GetCommand({ TableName: this.#table, Key: itemKeys.offboarding(of), ConsistentRead: true }),
    );
    return Item;
  }
}
