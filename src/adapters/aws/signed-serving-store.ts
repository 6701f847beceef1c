import type { ModelName } from '../../contracts/names.ts';
import type { ServingPointer } from '../../serving/serving-pointer.ts';
import type { ServingStore } from '../../serving/serving-store.ts';
import { itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { AwsServiceError, SignedClient } from './signed-client.ts';
import type { SignedObjects } from './signed-objects.ts';

/** DynamoDB's wire form of the few types that a pointer holds. */
type AttributeValue = { S?: string; N?: string; BOOL?: boolean; B?: string };

/** The serving table and the artifact bucket, read without the SDK. */
export class SignedServingStore implements ServingStore {
  readonly #dynamodb: SignedClient;
  readonly #objects: SignedObjects;
  readonly #table: string;

  constructor(settings: {
    region: string;
    table: string;
    objects: SignedObjects;
    dynamodbEndpoint?: string | undefined;
  }) {
    const { region, table, objects, dynamodbEndpoint } = settings;
    this.#table = table;
    this.#objects = objects;
    this.#dynamodb = new SignedClient(
      'dynamodb',
      dynamodbEndpoint ?? `https://dynamodb.${region}.amazonaws.com`,
    );
  }

  async pointer(tenant: TenantContext, model: ModelName): Promise<ServingPointer | undefined> {
    const item = await this.#item(itemKeys.servingPointer(tenant, model));
    if (item === undefined || item.withdrawn?.BOOL === true) return undefined;
    return {
      model_name: model,
      version: item.version!.S!,
      artifact_key: item.artifact_key!.S!,
      artifact_sha256: item.artifact_sha256!.S!,
      artifact_bytes: Number(item.artifact_bytes!.N),
      manifest_key: item.manifest_key!.S!,
      manifest_sha256: item.manifest_sha256!.S!,
      revision: Number(item.revision!.N),
      // Written as JSON: what is nested would take a reader of DynamoDB's types.
      ...parsed(item, 'canary'),
      ...parsed(item, 'shadow'),
      ...parsed(item, 'settings'),
    };
  }

  artifact(tenant: TenantContext, key: string): Promise<Uint8Array | undefined> {
    return this.#objects.get(tenant, key);
  }

  async predictionIdKey(): Promise<Uint8Array> {
    const item = await this.#item(itemKeys.predictionIdKey);
    if (item?.secret?.B === undefined)
      throw new Error('the key of prediction ids is missing; run the migration function');
    return Buffer.from(item.secret.B, 'base64');
  }

  async #item(key: { pk: string; sk: string }): Promise<Record<string, AttributeValue> | undefined> {
    const { status, body } = await this.#dynamodb.send({
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': 'DynamoDB_20120810.GetItem' },
      body: JSON.stringify({ TableName: this.#table, Key: { pk: { S: key.pk }, sk: { S: key.sk } } }),
    });
    const answer = JSON.parse(body.toString('utf8') || '{}') as {
      Item?: Record<string, AttributeValue>;
      __type?: string;
    };
    if (status === 200) return answer.Item;
    throw new AwsServiceError(
      answer.__type?.split('#').at(-1) ?? 'DynamoDBError',
      status,
      `DynamoDB answered ${status} for ${this.#table}`,
    );
  }
}

const parsed = (item: Record<string, AttributeValue>, name: string): Record<string, never> =>
  item[name]?.S === undefined ? {} : { [name]: JSON.parse(item[name].S) as never };
