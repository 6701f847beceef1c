import { createHmac } from 'node:crypto';
import { type SignedRequest, type VerifiedSignature, verifySignature } from '../aws/signature-v4.ts';
import { type Principal, principalArn } from './principal.ts';

export interface SessionCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

export interface AuthenticatedCaller extends VerifiedSignature {
  readonly principal: Principal;
}

/**
 * Session credentials of every role, made by the twin in place of STS. They are derived from one secret in the
 * data folder, so that a presigned URL handed out before a restart still verifies after it.
 */
export class CredentialRegistry {
  readonly #secret: string;
  readonly #byAccessKey = new Map<string, { credentials: SessionCredentials; principal: Principal }>();

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** Credentials of a role session; the same session gets the same ones. */
  issue(principal: Principal): SessionCredentials {
    const derive = (purpose: string) =>
      createHmac('sha256', this.#secret)
        .update(`${purpose}\n${principalArn(principal)}`)
        .digest();
    const letters = [...derive('access-key')]
      .map((byte) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[byte % 32])
      .join('');
    const accessKeyId = `ASIA${letters.slice(0, 16)}`;
    const known = this.#byAccessKey.get(accessKeyId);
    if (known !== undefined) {
      return known.credentials;
    }
    const credentials = {
      accessKeyId,
      secretAccessKey: derive('secret-key').toString('base64').slice(0, 40),
      sessionToken: `local-${derive('session-token').toString('base64url')}`,
    };
    this.#byAccessKey.set(accessKeyId, { credentials, principal });
    return credentials;
  }

  /** Verifies the signature of a request and says whose it is; throws the AWS error when it does not hold. */
  authenticate(request: SignedRequest, service: string, bodyHash?: () => string): AuthenticatedCaller {
    const verified = verifySignature(request, {
      service,
      secretKey: (accessKeyId) => this.#byAccessKey.get(accessKeyId)?.credentials,
      nowMs: Date.now(),
      ...(bodyHash === undefined ? {} : { bodyHash }),
    });
    const known = this.#byAccessKey.get(verified.accessKeyId);
    if (known === undefined) {
      throw new Error(`access key ${verified.accessKeyId} vanished during verification`);
    }
    return { ...verified, principal: known.principal };
  }
}
