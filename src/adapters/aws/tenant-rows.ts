import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Sweep, SweepOptions, TenantStore } from '../../tenancy/offboarding.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';

/** What the function beside Postgres is asked. */
export interface TenantRowsRequest {
  readonly act: 'remove' | 'count';
  readonly tenant: string;
}

/** The function beside Postgres failed. */
export class TenantRowsError extends Error {}

/** Rows of a tenant in Postgres, which only a function inside the network reaches. */
export class TenantRows implements TenantStore {
  readonly name = 'postgres';
  readonly #lambda: LambdaClient;
  readonly #functionName: string;

  constructor(lambda: LambdaClient, functionName: string) {
    this.#lambda = lambda;
    this.#functionName = functionName;
  }

  remove(tenant: TenantContext, _options: SweepOptions): Promise<Sweep> {
    return this.#ask({ act: 'remove', tenant: tenant.tenantId });
  }

  count(tenant: TenantContext, _options: SweepOptions): Promise<Sweep> {
    return this.#ask({ act: 'count', tenant: tenant.tenantId });
  }

  async #ask(request: TenantRowsRequest): Promise<Sweep> {
    const { Payload, FunctionError } = await this.#lambda.send(
      new InvokeCommand({ FunctionName: this.#functionName, Payload: JSON.stringify(request) }),
    );
    const text = Payload?.transformToString() ?? '';
    if (FunctionError !== undefined)
      throw new TenantRowsError(`rows of the tenant could not be reached: ${text.slice(0, 500)}`);
    return JSON.parse(text) as Sweep;
  }
}
