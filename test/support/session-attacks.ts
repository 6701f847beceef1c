// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of IAM policies are written so
/**
 * The synthesized policies, enforced by the twin's STS, S3 and DynamoDB, and everything that a session of one tenant
 * may try on another's data. Roles, buckets, tables and areas are found in the template.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import {
  DeleteCommand,
  DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  ScanCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { arn, iamArn } from '../../local/aws/account.ts';
import { DynamoDbServer } from '../../local/dynamodb/dynamodb-server.ts';
import { type AuthorizationRequest, Authorizer, type Decision } from '../../local/iam/authorizer.ts';
import { CredentialRegistry, type SessionCredentials } from '../../local/iam/credential-registry.ts';
import { collectPolicies } from '../../local/iam/policies.ts';
import { roleNameOf, roleSession } from '../../local/iam/principal.ts';
import { S3Server } from '../../local/s3/s3-server.ts';
import { StsServer } from '../../local/sts/sts-server.ts';
import type { Stack } from '../../local/template/cloud-assembly.ts';
import { DeployedTemplate } from '../../local/template/deployed-template.ts';
import { SignedClient } from '../../src/adapters/aws/signed-client.ts';
import { synthesize } from '../infra/support/synthesized-app.ts';

export const sessionTenant = '${aws:PrincipalTag/tenant}';

/** A function that touches tenants' data: the role it runs as, and the one whose sessions do the touching. */
export interface TenantFunction {
  readonly name: string;
  readonly executionRole: string;
  readonly tenantRole: string;
}

export interface Table {
  readonly name: string;
  readonly partition: string;
  readonly sort: string | undefined;
}

/** A key of the tenant's, as the platform builds it: in its partition, or below it where a table has no sort key. */
const keyIn = ({ partition, sort }: Table, tenant: string, name: string): Record<string, string> =>
  sort === undefined
    ? { [partition]: `tenant/${tenant}/#${name}` }
    : { [partition]: `tenant/${tenant}/`, [sort]: name };

/** @returns whether it got through */
export type Attempt = () => Promise<boolean>;
export type Service = 's3' | 'dynamodb' | 'sagemaker' | 'sts';
export interface Attack {
  readonly name: string;
  readonly service: Service;
  readonly attempt: Attempt;
}

/** Decides by whichever policies are in force. */
class ExchangeableAuthorizer extends Authorizer {
  inForce: Pick<Authorizer, 'authorize'> = { authorize: async () => 'Allowed' };

  override authorize(request: AuthorizationRequest): Promise<Decision> {
    return this.inForce.authorize(request);
  }
}

const denials = new Set(['AccessDenied', 'AccessDeniedException']);

/** Whatever is no refusal got through, even when there was nothing to find. */
async function passes(call: Promise<unknown>): Promise<boolean> {
  try {
    await call;
    return true;
  } catch (error) {
    return !denials.has((error as Error).name);
  }
}

export class PolicyBench {
  readonly stacks: readonly Stack[];
  readonly template: DeployedTemplate;
  readonly functions: readonly TenantFunction[];
  readonly registry = new CredentialRegistry('secret of the attacks');
  readonly #directory = mkdtempSync(join(tmpdir(), 'tenantml-attacks-'));
  readonly #failures: unknown[] = [];
  readonly #authorizer = new ExchangeableAuthorizer({ identity: new Map(), resource: new Map() });
  readonly #s3: S3Server;
  readonly #dynamodb: DynamoDbServer;
  readonly #sts: StsServer;
  #urls = { s3: '', dynamodb: '', sts: '' };
  #stsClient: SignedClient | undefined;

  constructor() {
    const { templates, outdir } = synthesize({ stage: 'local' });
    this.stacks = Object.entries(templates).map(([name, template]) => ({
      name: `tenantml-local-${name}`,
      template: template as unknown as Stack['template'],
      assemblyDirectory: outdir,
    }));
    this.template = deployed(this.stacks);
    this.functions = this.template.ofType('AWS::Lambda::Function').flatMap(({ label, properties }) => {
      const { Variables = {} } = (properties.Environment ?? {}) as { Variables?: Record<string, string> };
      const role = Variables.TENANT_ROLE_ARN;
      if (role === undefined) return [];
      const executionRole = roleNameOf(String(properties.Role));
      return [
        {
          name: Variables.POWERTOOLS_SERVICE_NAME ?? label,
          ...{ executionRole, tenantRole: roleNameOf(role) },
        },
      ];
    });
    const options = { registry: this.registry, onFailure: (error: unknown) => this.#failures.push(error) };
    this.#s3 = new S3Server({ ...options, directory: join(this.#directory, 's3') });
    this.#dynamodb = new DynamoDbServer({ ...options, directory: join(this.#directory, 'dynamodb') });
    this.#sts = new StsServer(options);
  }

  /** Roles of all functions, also of those that have no tenant role. */
  get executionRoles(): readonly string[] {
    return this.template
      .ofType('AWS::Lambda::Function')
      .map(({ properties }) => roleNameOf(String(properties.Role)));
  }

  get buckets(): readonly string[] {
    return this.template.ofType('AWS::S3::Bucket').map(({ physicalId }) => physicalId);
  }

  get tables(): readonly Table[] {
    return this.template.ofType('AWS::DynamoDB::Table').map(({ physicalId: name, properties }) => {
      const [partition, sort] = (properties.KeySchema as { AttributeName: string }[]).map(
        ({ AttributeName }) => AttributeName,
      );
      return { name, partition: partition!, sort };
    });
  }

  /** What follows a tenant's prefix in any policy, such as `models/` and `models/x/builds/x/manifest.json`. */
  get areas(): readonly string[] {
    const patterns = [
      ...JSON.stringify(this.stacks.map(({ template }) => template)).matchAll(
        /\/tenants\/\$\{aws:PrincipalTag\/tenant\}\/([^"]*)\*"/g,
      ),
    ];
    return [...new Set(patterns.map(([, area]) => area!.replaceAll('*', 'x')))];
  }

  async start(victim: string): Promise<void> {
    this.#urls = {
      s3: await this.#s3.start(),
      dynamodb: await this.#dynamodb.start(),
      sts: await this.#sts.start(),
    };
    this.#s3.deploy(this.template.ofType('AWS::S3::Bucket'), this.#authorizer);
    await this.#dynamodb.deploy(this.template.ofType('AWS::DynamoDB::Table'), this.#authorizer);
    this.#sts.deploy(this.#authorizer);
    const [anyFunction] = this.functions;
    const own = this.executionCredentials(anyFunction!);
    Object.assign(process.env, {
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: own.accessKeyId,
      AWS_SECRET_ACCESS_KEY: own.secretAccessKey,
      AWS_SESSION_TOKEN: own.sessionToken,
    });
    this.#stsClient = new SignedClient('sts', this.#urls.sts);
    await this.#seed(own, victim);
    this.enforce(this.stacks);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#s3.stop(), this.#dynamodb.stop(), this.#sts.stop()]);
    rmSync(this.#directory, { recursive: true, force: true });
    if (this.#failures.length > 0) throw new AggregateError(this.#failures, 'a local server failed');
  }

  /** From now on, the policies of these stacks decide. */
  enforce(stacks: readonly Stack[]): void {
    this.#authorizer.inForce = new Authorizer(collectPolicies(deployed(stacks)));
  }

  executionCredentials({ executionRole }: Pick<TenantFunction, 'executionRole'>): SessionCredentials {
    return this.registry.issue(roleSession(executionRole, 'local'));
  }

  /** A session as the function opens it; throws where STS refuses. */
  async session(
    { tenantRole }: Pick<TenantFunction, 'tenantRole'>,
    caller: SessionCredentials,
    tags: Readonly<Record<string, string>>,
  ): Promise<SessionCredentials> {
    const members = Object.entries(tags).flatMap(([key, value], i) => [
      [`Tags.member.${i + 1}.Key`, key],
      [`Tags.member.${i + 1}.Value`, value],
    ]);
    const { status, body } = await this.#stsClient!.send(
      {
        method: 'POST',
        path: '/',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          ...{ Action: 'AssumeRole', RoleArn: iamArn(`role/${tenantRole}`), RoleSessionName: 'attack' },
          ...Object.fromEntries(members),
        }).toString(),
      },
      caller,
    );
    const text = body.toString('utf8');
    const field = (name: string) => new RegExp(`<${name}>([^<]+)<`).exec(text)?.[1] ?? '';
    if (status !== 200) throw Object.assign(new Error(text), { name: field('Code') });
    return {
      accessKeyId: field('AccessKeyId'),
      secretAccessKey: field('SecretAccessKey'),
      sessionToken: field('SessionToken'),
    };
  }

  /** What may be tried on the data of `victim` with these credentials. */
  onData(credentials: SessionCredentials, victim: string): Attack[] {
    const { s3, items } = this.#clients(credentials);
    const attack = (service: Service, name: string, call: () => Promise<unknown>): Attack => ({
      ...{ name, service },
      attempt: () => passes(call()),
    });
    const ofBucket = (Bucket: string): Attack[] => [
      ...this.areas.flatMap((area) => {
        const at = (verb: string) => ({ Bucket, Key: `tenants/${victim}/${area}${verb}` });
        const on = `${labelOf(Bucket)} ${area}`;
        return [
          attack('s3', `read an object: ${on}`, () => s3.send(new GetObjectCommand(at('get')))),
          attack('s3', `write an object: ${on}`, () =>
            s3.send(new PutObjectCommand({ ...at('put'), Body: 'x' })),
          ),
          attack('s3', `delete an object: ${on}`, () => s3.send(new DeleteObjectCommand(at('delete')))),
        ];
      }),
      ...[`tenants/${victim}/`, `tenants/${victim}`, 'tenants/', '', undefined].map((Prefix) =>
        attack('s3', `list ${Prefix ?? 'without a prefix'}: ${labelOf(Bucket)}`, () =>
          s3.send(new ListObjectsV2Command({ Bucket, Prefix })),
        ),
      ),
      ...[`tenants/${victim}/`, 'tenants/', undefined].map((Prefix) =>
        attack('s3', `list ${Prefix ?? 'without a prefix'} with versions: ${labelOf(Bucket)}`, () =>
          s3.send(new ListObjectVersionsCommand({ Bucket, Prefix })),
        ),
      ),
    ];
    const ofTable = (table: Table): Attack[] => {
      const TableName = table.name;
      const at = (name: string) => ({ TableName, Key: keyIn(table, victim, name) });
      const on = labelOf(TableName);
      return [
        attack('dynamodb', `read an item: ${on}`, () => items.send(new GetCommand(at('get')))),
        attack('dynamodb', `write an item: ${on}`, () =>
          items.send(new PutCommand({ TableName, Item: keyIn(table, victim, 'put') })),
        ),
        attack('dynamodb', `change an item: ${on}`, () =>
          items.send(
            new UpdateCommand({
              ...at('update'),
              UpdateExpression: 'SET a = :a',
              ExpressionAttributeValues: { ':a': 1 },
            }),
          ),
        ),
        attack('dynamodb', `delete an item: ${on}`, () => items.send(new DeleteCommand(at('delete')))),
        attack('dynamodb', `query items: ${on}`, () =>
          items.send(
            new QueryCommand({
              TableName,
              KeyConditionExpression: '#key = :key',
              ExpressionAttributeNames: { '#key': table.partition },
              ExpressionAttributeValues: { ':key': keyIn(table, victim, 'get')[table.partition] },
            }),
          ),
        ),
        attack('dynamodb', `scan items: ${on}`, () => items.send(new ScanCommand({ TableName }))),
      ];
    };
    return [...this.buckets.flatMap(ofBucket), ...this.tables.flatMap(ofTable)];
  }

  /** What may be tried on the endpoints of `victim`: no container is needed to ask who may. */
  onEndpoints({ tenantRole }: TenantFunction, tenant: string, victim: string): Attack {
    return {
      name: 'ask an endpoint',
      service: 'sagemaker',
      attempt: async () => {
        const decision = await this.#authorizer.authorize({
          principal: { ...roleSession(tenantRole, 'attack'), tags: { tenant } },
          action: 'sagemaker:InvokeEndpoint',
          resource: arn('sagemaker', `endpoint/tenantml--${victim}--model`),
        });
        return decision === 'Allowed';
      },
    };
  }

  /** What may be tried to get a session that is no tenant's own. */
  onSessions(target: TenantFunction): Attack[] {
    const own = this.executionCredentials(target);
    const other = this.functions.find(({ executionRole }) => executionRole !== target.executionRole)!;
    const attack = (
      name: string,
      caller: () => Promise<SessionCredentials>,
      tags: Record<string, string>,
    ): Attack => ({
      ...{ name, service: 'sts' },
      attempt: async () => passes(this.session(target, await caller(), tags)),
    });
    return [
      attack('open a session without a tag', async () => own, {}),
      attack('open a session with another tag only', async () => own, { team: 'aa' }),
      attack('open a session with a tag beside the tenant', async () => own, { tenant: 'aa', team: 'x' }),
      ...['a', 'a/b', '-a', 'a-', 'a--b', 'a b', 'a.b', 'a_b', 'a:b', 'a=b', 'a+b', 'a@b'].map((tenant) =>
        attack(`open a session of "${tenant}"`, async () => own, { tenant }),
      ),
      attack('open a session as another function', async () => this.executionCredentials(other), {
        tenant: 'aa',
      }),
      attack('open a session from a session', async () => this.session(target, own, { tenant: 'bb' }), {
        tenant: 'aa',
      }),
    ];
  }

  #clients(credentials: SessionCredentials) {
    const { s3, dynamodb } = this.#urls;
    const config = { region: 'us-east-1', maxAttempts: 1, credentials };
    return {
      s3: new S3Client({ ...config, endpoint: s3, forcePathStyle: true }),
      items: DynamoDBDocumentClient.from(new DynamoDBClient({ ...config, endpoint: dynamodb })),
    };
  }

  /** Something to find in every place. */
  async #seed(credentials: SessionCredentials, victim: string): Promise<void> {
    const { s3, items } = this.#clients(credentials);
    for (const Bucket of this.buckets) {
      for (const area of this.areas) {
        const Key = `tenants/${victim}/${area}get`;
        await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'secret' }));
      }
    }
    for (const table of this.tables) {
      await items.send(new PutCommand({ TableName: table.name, Item: keyIn(table, victim, 'get') }));
    }
  }
}

/** The names of those attacks that got through, one after the other: some of them change what the next would find. */
export async function thatPass(attacks: readonly Attack[]): Promise<string[]> {
  const passed: string[] = [];
  for (const { name, attempt } of attacks) if (await attempt()) passed.push(name);
  return passed;
}

const deployed = (stacks: readonly Stack[]): DeployedTemplate =>
  new DeployedTemplate(stacks, {
    runtime: { databaseHost: '127.0.0.1', databasePort: 5432, gatewayUrl: 'http://127.0.0.1' },
  });

/** `tenantml-local-data-jobstable548a1cc1` → `jobstable` */
export const labelOf = (physicalName: string): string =>
  /-([A-Za-z]+?)(?:Table|Bucket|table|bucket)?[0-9A-Fa-f]{8}/.exec(physicalName)?.[1]?.toLowerCase() ??
  physicalName;
