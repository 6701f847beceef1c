import { BackendError, type InferenceEndpoints } from '../../serving/backends/remote-model.ts';
import type { TenantSessions } from '../../tenancy/credentials.ts';
import { endpointName } from '../../tenancy/keys.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { SignedClient } from './signed-client.ts';
import type { SignedStoreSettings } from './signed-table.ts';

/** Real-time endpoints of SageMaker, asked by InvokeEndpoint with the tenant's session. */
export class SageMakerEndpoints implements InferenceEndpoints {
  readonly #client: SignedClient;
  readonly #sessions: TenantSessions;

  constructor(settings: SignedStoreSettings) {
    this.#sessions = settings.sessions;
    this.#client = new SignedClient(
      'sagemaker',
      settings.endpoint ?? `https://runtime.sagemaker.${settings.region}.amazonaws.com`,
      // A model that is too large for a function may also take its time; the function itself ends after 20 s. Asked
      // again, it would run a second time, and past that end.
      { timeoutMs: 15_000, attempts: 1 },
    );
  }

  async invoke(tenant: TenantContext, name: string, body: string): Promise<string> {
    const session = await this.#sessions.of(tenant);
    const answer = await this.#client
      .send(
        {
          method: 'POST',
          path: `/endpoints/${endpointName(tenant, name)}/invocations`,
          headers: { 'content-type': 'application/json', accept: 'application/json' },
          body,
        },
        session,
      )
      .catch((cause: unknown) => {
        throw new BackendError(name, 'could not be reached', { cause });
      });
    if (answer.status === 200) return answer.body.toString('utf8');
    throw new BackendError(name, `answered ${answer.status}`, {
      cause: answer.body.toString('utf8').slice(0, 500),
    });
  }
}
