import { type ListeningServer, listen } from '../aws/http.ts';
import { type JsonOperationCall, jsonProtocolListener, type RawAnswer } from '../aws/json-protocol.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import type { CredentialRegistry } from '../iam/credential-registry.ts';
import type { DeployedResource } from '../template/deployed-template.ts';
import { requiredAccess } from './access.ts';
import { Dynalite } from './dynalite.ts';
import { type TableDefinition, tableDefinition } from './table-definition.ts';
import { deleteExpired } from './time-to-live.ts';

export interface DynamoDbServerOptions {
  readonly directory: string;
  readonly registry: CredentialRegistry;
  onFailure(error: unknown): void;
}

const SWEEP_INTERVAL_MS = 30_000;

/** DynamoDB for the template's tables: verifies and authorizes each call, dynalite does the work. */
export class DynamoDbServer {
  readonly #options: DynamoDbServerOptions;
  readonly #dynalite: Dynalite;
  readonly #tables = new Map<string, TableDefinition>();
  #authorizer: Authorizer | undefined;
  #listening: ListeningServer | undefined;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(options: DynamoDbServerOptions) {
    this.#options = options;
    this.#dynalite = new Dynalite(options.directory);
  }

  async start(): Promise<string> {
    this.#listening = await listen(
      jsonProtocolListener({
        signingName: 'dynamodb',
        contentType: 'application/x-amz-json-1.0',
        errorNamespace: 'com.amazonaws.dynamodb.v20120810#',
        registry: this.#options.registry,
        handle: (call) => this.#handle(call),
        onFailure: this.#options.onFailure,
      }),
    );
    return this.#listening.url;
  }

  async deploy(tables: readonly DeployedResource[], authorizer: Authorizer): Promise<void> {
    const existing = new Set((await this.#dynalite.json('ListTables', {})).TableNames as string[]);
    for (const resource of tables) {
      const definition = tableDefinition(resource);
      if (!existing.has(definition.name)) {
        await this.#dynalite.json('CreateTable', definition.createTable);
      }
      this.#tables.set(definition.name, definition);
    }
    this.#authorizer = authorizer;
    this.#sweeper = setInterval(() => void this.sweep(Date.now()), SWEEP_INTERVAL_MS).unref();
  }

  /** Deletes what has expired; returns how many items went. */
  async sweep(nowMs: number): Promise<number> {
    let deleted = 0;
    for (const table of this.#tables.values()) {
      try {
        deleted += await deleteExpired(this.#dynalite, table, Math.floor(nowMs / 1000));
      } catch (error) {
        this.#options.onFailure(error);
      }
    }
    return deleted;
  }

  async stop(): Promise<void> {
    clearInterval(this.#sweeper);
    await this.#listening?.close();
    await this.#dynalite.close();
  }

  async #handle(call: JsonOperationCall): Promise<RawAnswer> {
    const authorizer = this.#authorizer;
    if (authorizer === undefined) {
      throw new AwsServiceError('ServiceUnavailable', 'the twin is still starting', 503);
    }
    for (const access of requiredAccess(call.operation, call.input, this.#tables)) {
      await authorizer.require({
        principal: call.principal,
        action: access.action,
        resource: access.resource,
        ...(access.leadingKeys === undefined
          ? {}
          : { context: { 'dynamodb:LeadingKeys': access.leadingKeys } }),
      });
    }
    return this.#dynalite.call(call.operation, call.body);
  }
}
