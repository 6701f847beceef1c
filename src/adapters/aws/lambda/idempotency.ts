import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  IdempotencyValidationError,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { Context } from 'aws-lambda';
import { MLFrameworkError, ValidationError } from '../../../errors.ts';
import { itemKeys } from '../../../tenancy/keys.ts';
import type { TenantContext } from '../../../tenancy/tenant-context.ts';
import type { TenantClients } from '../tenant-clients.ts';

/** The same key is being worked on by another call. */
export class RequestInProgressError extends MLFrameworkError {}

const rememberedSeconds = 24 * 60 * 60;

export interface KeyedRequest {
  readonly tenant: TenantContext;
  /** Method and path. */
  readonly route: string;
  /** Value of the `Idempotency-Key` header. */
  readonly key: string;
  readonly body: string;
}

/**
 * Answers a repeated request with the first answer. A record belongs to tenant, route and header value, and is written
 * and read by the session of its tenant; the same key with another body is refused. A failed call leaves no record, so
 * that it may be sent again.
 */
export class Idempotency {
  readonly #clients: TenantClients<DynamoDBClient>;
  readonly #tableName: string;

  constructor(clients: TenantClients<DynamoDBClient>, tableName: string) {
    this.#clients = clients;
    this.#tableName = tableName;
  }

  /**
   * @param work gives a JSON-safe answer
   * @throws {ValidationError} IDEMPOTENCY_KEY_REUSED
   * @throws {RequestInProgressError}
   */
  async run<Answer>(request: KeyedRequest, context: Context, work: () => Promise<Answer>): Promise<Answer> {
    if (request.key.length < 1 || request.key.length > 255) {
      throw new ValidationError(`Idempotency-Key has ${request.key.length} characters; use 1 to 255`);
    }
    const settings = new IdempotencyConfig({
      eventKeyJmesPath: '[tenant, route, key]',
      payloadValidationJmesPath: 'body',
      expiresAfterSeconds: rememberedSeconds,
    });
    settings.registerLambdaContext(context);
    const once = makeIdempotent((_payload: object) => work() as Promise<never>, {
      // One for each call: it keeps the prefix of its last one.
      persistenceStore: new DynamoDBPersistenceLayer({
        tableName: this.#tableName,
        awsSdkV3Client: await this.#clients.of(request.tenant),
      }),
      config: settings,
      // A record begins with its tenant, as every item does: else nobody could find it when the tenant goes.
      keyPrefix: itemKeys.partition(request.tenant),
    });
    try {
      return await once({ ...request, tenant: request.tenant.tenantId });
    } catch (error) {
      if (error instanceof IdempotencyValidationError) {
        throw new ValidationError('this Idempotency-Key was used with another body; use a new key', {
          code: 'IDEMPOTENCY_KEY_REUSED',
        });
      }
      if (error instanceof IdempotencyAlreadyInProgressError) {
        throw new RequestInProgressError(
          'REQUEST_IN_PROGRESS',
          'a request with this Idempotency-Key is still running; wait and send it again',
        );
      }
      throw error;
    }
  }
}
