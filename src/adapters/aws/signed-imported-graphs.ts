import {
  ImportedBusyError,
  ImportedEnvironmentError,
  type ImportedGraphs,
} from '../../serving/imported/imported-graphs.ts';
import type { ImportedAnswer, ImportedCall } from '../../serving/imported/imported-message.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { AwsServiceError, SignedClient } from './signed-client.ts';
import type { SignedObjects } from './signed-objects.ts';

const linkSeconds = 15 * 60;
/** The function ends after 15 s. */
const callForMs = 18_000;

/** The function that Lambda runs in an environment for each tenant, called without the SDK. */
export class SignedImportedGraphs implements ImportedGraphs {
  readonly rowsWithinMs: number | undefined;
  readonly #lambda: SignedClient;
  readonly #functionName: string;
  readonly #objects: Pick<SignedObjects, 'link'>;

  /** @param objects where the files of graphs are */
  constructor(settings: {
    readonly region: string;
    readonly endpoint?: string | undefined;
    readonly functionName: string;
    readonly objects: Pick<SignedObjects, 'link'>;
    readonly rowsWithinMs?: number;
  }) {
    this.rowsWithinMs = settings.rowsWithinMs;
    const { region, endpoint, functionName, objects } = settings;
    this.#lambda = new SignedClient('lambda', endpoint ?? `https://lambda.${region}.amazonaws.com`, {
      // A call that broke is not sent again: its graph may be what broke it.
      attempts: 1,
    });
    this.#functionName = functionName;
    this.#objects = objects;
  }

  link(tenant: TenantContext, key: string): Promise<string> {
    return this.#objects.link(tenant, key, linkSeconds);
  }

  async call(tenant: TenantContext, call: ImportedCall, timeoutMs = callForMs): Promise<ImportedAnswer> {
    const sent = this.#lambda.send({
      timeoutMs: Math.min(timeoutMs, callForMs),
      method: 'POST',
      path: `/2015-03-31/functions/${encodeURIComponent(this.#functionName)}/invocations`,
      headers: { 'content-type': 'application/json', 'x-amz-tenant-id': tenant.tenantId },
      body: JSON.stringify(call),
    });
    const { status, headers, body } = await sent.catch((cause: unknown) => {
      if ((cause as { code?: string }).code !== 'ETIMEDOUT') throw cause;
      throw new ImportedEnvironmentError('IMPORTED_MODEL_TIMED_OUT', 'no answer in time');
    });
    if (status === 429) throw new ImportedBusyError();
    if (status !== 200) {
      const name = String(headers['x-amzn-errortype'] ?? 'LambdaError').split(':')[0]!;
      throw new AwsServiceError(name, status, `Lambda answered ${status} for an imported graph`);
    }
    const answer = JSON.parse(body.toString('utf8')) as unknown;
    if (headers['x-amz-function-error'] === undefined) return answer as ImportedAnswer;
    throw endOf(answer as { errorType?: string; errorMessage?: string });
  }
}

/** How Lambda names an environment that ended: by its time, by its memory, or by itself. */
function endOf({ errorType = '', errorMessage = '' }: { errorType?: string; errorMessage?: string }) {
  const isOutOfMemory = errorType === 'Runtime.OutOfMemory' || errorMessage.includes('signal: killed');
  const isTimeout = errorType === 'Sandbox.Timedout' || errorMessage.includes('Task timed out');
  const code = isOutOfMemory
    ? 'IMPORTED_MODEL_OUT_OF_MEMORY'
    : isTimeout
      ? 'IMPORTED_MODEL_TIMED_OUT'
      : 'IMPORTED_MODEL_CRASHED';
  return new ImportedEnvironmentError(code, `${errorType}: ${errorMessage}`);
}
