import { createHmac } from 'node:crypto';
import { AwsServiceError } from '../aws/service-error.ts';
import { type SignedRequest, type VerifiedSignature, verifySignature } from '../aws/signature-v4.ts';
import { type Principal, principalArn, type RoleSession } from './principal.ts';
import { readSessionToken, sessionToken } from './session-token.ts';

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface AuthenticatedCaller extends VerifiedSignature {
  readonly principal: Principal;
}

/**
 * Session credentials of every role. They are derived from one secret in the data folder, so that a presigned URL
 * handed out before a restart still verifies after it: those of functions and of the administrator, which do not
 * end, and those of sessions that the local STS gives, which do.
 */
export class CredentialRegistry {
  readonly #secret: string;
  readonly #nowMs: () => number;
  readonly #byAccessKey = new Map<string, { credentials: SessionCredentials; principal: Principal }>();

  constructor(secret: string, nowMs: () => number = Date.now) {
    this.#secret = secret;
    this.#nowMs = nowMs;
  }

  get nowMs(): number {
    return this.#nowMs();
  }

  /** Credentials of a role session; the same session gets the same ones. */
  issue(principal: Principal): SessionCredentials {
    const subject = principalArn(principal);
    const accessKeyId = this.#accessKeyId(subject);
    const known = this.#byAccessKey.get(accessKeyId);
    if (known !== undefined) {
      return known.credentials;
    }
    const credentials = {
      accessKeyId,
      secretAccessKey: this.#secretAccessKey(subject),
      sessionToken: `local-${this.#derive('session-token', subject).toString('base64url')}`,
    };
    this.#byAccessKey.set(accessKeyId, { credentials, principal });
    return credentials;
  }

  /** Credentials that end; all that is known of the session is in their token. */
  issueUntil(principal: RoleSession, expiresAtMs: number): SessionCredentials {
    return this.#ofToken(sessionToken(this.#secret, { principal, expiresAtMs }));
  }

  /** Verifies the signature of a request and says whose it is; throws the AWS error when it does not hold. */
  authenticate(request: SignedRequest, service: string, bodyHash?: () => string): AuthenticatedCaller {
    let found: { principal: Principal; expiresAtMs?: number } | undefined;
    const verified = verifySignature(request, {
      service,
      secretKey: (accessKeyId, token) => {
        const known = this.#byAccessKey.get(accessKeyId);
        found = known ?? readSessionToken(this.#secret, token);
        if (found === undefined || known !== undefined) return known?.credentials;
        const credentials = this.#ofToken(token);
        return credentials.accessKeyId === accessKeyId ? credentials : undefined;
      },
      nowMs: this.#nowMs(),
      ...(bodyHash === undefined ? {} : { bodyHash }),
    });
    if (found === undefined) throw new Error(`access key ${verified.accessKeyId} vanished in verification`);
    const { principal, expiresAtMs = Number.POSITIVE_INFINITY } = found;
    if (this.#nowMs() >= expiresAtMs)
      throw new AwsServiceError('ExpiredToken', 'The provided token has expired.', 400);
    return { ...verified, principal };
  }

  #ofToken(token: string): SessionCredentials {
    return {
      accessKeyId: this.#accessKeyId(token),
      secretAccessKey: this.#secretAccessKey(token),
      sessionToken: token,
    };
  }

  #accessKeyId(subject: string): string {
    const letters = [...this.#derive('access-key', subject)]
      .map((byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32])
      .join('');
    return `ASIA${letters.slice(0, 16)}`;
  }

  #secretAccessKey(subject: string): string {
    return this.#derive('secret-key', subject).toString('base64').slice(0, 40);
  }

  #derive(purpose: string, subject: string): Buffer {
    return createHmac('sha256', this.#secret).update(`${purpose}\n${subject}`).digest();
  }
}
