import { DeleteCommand, GetCommand, PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb';
import type { Subject } from '../../contracts/names.ts';
import type { Member } from '../../contracts/tenant.ts';
import { itemKeys, memberPrefix } from '../../tenancy/keys.ts';
import type { MemberStore } from '../../tenancy/members.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { type DocumentClients, isConditionFailure } from './document-client.ts';

export interface Membership {
  readonly tenant: string;
  readonly role: string;
}

/**
 * Which tenant a user of the deployment's user pool belongs to: an item by subject, which tokens are made from, and one
 * below the tenant, which its admins see.
 */
export class DynamoDbMemberships implements MemberStore {
  readonly #clients: DocumentClients;
  readonly #table: string;

  constructor(clients: DocumentClients, table: string) {
    this.#clients = clients;
    this.#table = table;
  }

  async of(subject: string): Promise<Membership | undefined> {
    const { Item } = await this.#clients.own.send(
      new GetCommand({ TableName: this.#table, Key: itemKeys.membership(subject) }),
    );
    return Item === undefined ? undefined : { tenant: Item.tenant as string, role: Item.role as string };
  }

  async put(tenant: TenantContext, member: Member): Promise<void> {
    const { subject, role } = member;
    const client = await this.#clients.of(tenant);
    await client.send(
      new PutCommand({
        TableName: this.#table,
        Item: { ...itemKeys.listedMember(tenant, subject), ...member },
      }),
    );
    await this.#unlessElsewhere(
      new PutCommand({
        TableName: this.#table,
        Item: { ...itemKeys.membership(subject), tenant: tenant.tenantId, role },
        ConditionExpression: 'attribute_not_exists(pk) OR tenant = :tenant',
        ExpressionAttributeValues: { ':tenant': tenant.tenantId },
      }),
    );
  }

  async get(tenant: TenantContext, subject: Subject): Promise<Member | undefined> {
    const Key = itemKeys.listedMember(tenant, subject);
    const client = await this.#clients.of(tenant);
    const { Item } = await client.send(new GetCommand({ TableName: this.#table, Key, ConsistentRead: true }));
    return Item === undefined ? undefined : memberOf(Item);
  }

  async list(tenant: TenantContext, page: { limit: number; cursor?: string | undefined }) {
    const pk = itemKeys.partition(tenant);
    const after =
      page.cursor === undefined ? undefined : decodeCursor(page.cursor, /^member\/[A-Za-z0-9._@-]{1,128}\/$/);
    const client = await this.#clients.of(tenant);
    const { Items = [], LastEvaluatedKey } = await client.send(
      new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :members)',
        ExpressionAttributeValues: { ':pk': pk, ':members': memberPrefix },
        ConsistentRead: true,
        Limit: page.limit,
        ...(after === undefined ? {} : { ExclusiveStartKey: { pk, sk: after } }),
      }),
    );
    return {
      items: Items.map(memberOf),
      ...(LastEvaluatedKey === undefined ? {} : { nextCursor: encodeCursor(LastEvaluatedKey.sk as string) }),
    };
  }

  async remove(tenant: TenantContext, subject: Subject): Promise<void> {
    await this.#unlessElsewhere(
      new DeleteCommand({
        TableName: this.#table,
        Key: itemKeys.membership(subject),
        ConditionExpression: 'attribute_not_exists(pk) OR tenant = :tenant',
        ExpressionAttributeValues: { ':tenant': tenant.tenantId },
      }),
    );
    const client = await this.#clients.of(tenant);
    await client.send(
      new DeleteCommand({ TableName: this.#table, Key: itemKeys.listedMember(tenant, subject) }),
    );
  }

  async #unlessElsewhere(command: PutCommand | DeleteCommand): Promise<void> {
    try {
      await this.#clients.own.send(command as PutCommand);
    } catch (error) {
      // The user belongs to another tenant, which is nobody's business here.
      if (!isConditionFailure(error)) throw error;
    }
  }
}

function memberOf(item: Record<string, unknown>): Member {
  const { pk: _pk, sk: _sk, ...member } = item;
  return member as unknown as Member;
}
