import { type SessionCredentials, TenantSessionError } from '../../tenancy/credentials.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import { AwsServiceError, SignedClient } from './signed-client.ts';

/** What a role that was assumed by another role's session may last at most. */
const durationSeconds = 3_600;
const attempts = 3;

/** Opens sessions of a function's tenant role, each tagged with its tenant, without the SDK. */
export class StsSessions {
  readonly #client: SignedClient;
  readonly #roleArn: string;

  constructor(settings: { region: string; roleArn: string; endpoint?: string | undefined }) {
    this.#roleArn = settings.roleArn;
    this.#client = new SignedClient(
      'sts',
      settings.endpoint ?? `https://sts.${settings.region}.amazonaws.com`,
      { timeoutMs: 2_000 },
    );
  }

  /** @throws {TenantSessionError} */
  async open(tenant: TenantContext): Promise<SessionCredentials> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#assumeRole(tenant);
      } catch (cause) {
        const { name, status = 0 } = cause as Partial<AwsServiceError>;
        const isThrottled = name === 'Throttling' || name === 'ThrottlingException';
        if (isThrottled && attempt < attempts) {
          await new Promise((resolve) => setTimeout(resolve, 50 * 2 ** attempt));
          continue;
        }
        const isRefused = !isThrottled && status >= 400 && status < 500;
        throw new TenantSessionError(
          isRefused ? 'TENANT_SESSION_REFUSED' : 'TENANT_SESSION_UNAVAILABLE',
          cause,
        );
      }
    }
  }

  async #assumeRole({ tenantId }: TenantContext): Promise<SessionCredentials> {
    const answer = await this.#client.send({
      method: 'POST',
      path: '/',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({
        Action: 'AssumeRole',
        Version: '2011-06-15',
        RoleArn: this.#roleArn,
        // What CloudTrail shows beside each request of the session.
        RoleSessionName: tenantId,
        DurationSeconds: String(durationSeconds),
        'Tags.member.1.Key': 'tenant',
        'Tags.member.1.Value': tenantId,
      }).toString(),
    });
    const text = answer.body.toString('utf8');
    // No text of these elements holds a character that XML escapes.
    const field = (name: string): string => new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1] ?? '';
    if (answer.status !== 200)
      throw new AwsServiceError(field('Code') || 'StsError', answer.status, field('Message'));
    return {
      accessKeyId: field('AccessKeyId'),
      secretAccessKey: field('SecretAccessKey'),
      sessionToken: field('SessionToken'),
      expiresAtMs: Date.parse(field('Expiration')),
    };
  }
}
