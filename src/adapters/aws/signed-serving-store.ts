import type { ModelName } from '../../contracts/names.ts';
import type { ServingPointer } from '../../serving/serving-pointer.ts';
import type { ServingStore } from '../../serving/serving-store.ts';
import { isTenantKey, itemKeys } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { AwsServiceError, SignedClient } from './signed-client.ts';

/** DynamoDB's wire form of the few types that a pointer holds. */
type AttributeValue = { S?: string; N?: string; BOOL?: boolean; B?: string };

/** The serving table and the artifact bucket, read without the SDK. */
export class SignedServingStore implements ServingStore {
  readonly #dynamodb: SignedClient;
  readonly #s3: SignedClient;
  readonly #table: string;
  readonly #bucket: string;
  /** Before the key in a request's path: empty where the bucket is in the host's name. */
  readonly #pathPrefix: string;

  constructor(settings: {
    region: string;
    table: string;
    bucket: string;
    dynamodbEndpoint?: string | undefined;
    s3Endpoint?: string | undefined;
  }) {
    const { region, table, bucket, dynamodbEndpoint, s3Endpoint } = settings;
    this.#table = table;
    this.#bucket = bucket;
    this.#dynamodb = new SignedClient(
      'dynamodb',
      dynamodbEndpoint ?? `https://dynamodb.${region}.amazonaws.com`,
    );
    this.#s3 = new SignedClient('s3', s3Endpoint ?? `https://${bucket}.s3.${region}.amazonaws.com`);
    this.#pathPrefix = s3Endpoint === undefined ? '' : `/${bucket}`;
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
    };
  }

  async artifact(tenant: TenantContext, key: string): Promise<Uint8Array | undefined> {
    if (!isTenantKey(tenant, key)) throw new Error('a serving pointer leads out of its tenant');
    const path = `${this.#pathPrefix}/${key.split('/').map(encodeURIComponent).join('/')}`;
    const { status, body } = await this.#s3.send({
      method: 'GET',
      path,
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
    if (status === 200) return body;
    const name = /<Code>(\w+)<\/Code>/.exec(body.toString('utf8'))?.[1] ?? 'S3Error';
    if (name === 'NoSuchKey') return undefined;
    throw new AwsServiceError(name, status, `S3 answered ${status} for ${this.#bucket}`);
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
