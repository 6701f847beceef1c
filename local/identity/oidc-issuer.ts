import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type CryptoKey,
  exportJWK,
  exportPKCS8,
  generateKeyPair,
  importPKCS8,
  type JWK,
  SignJWT,
} from 'jose';
import { readBody } from '../aws/http.ts';

export interface TokenRequest {
  readonly tenant: string;
  readonly role?: string;
  /** Scopes with spaces between them, which narrow the role. @default - the token has no such claim */
  readonly scope?: string;
  readonly subject?: string;
  readonly expiresInSeconds?: number;
}

export interface OidcIssuerOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Where the private key is kept, so that tokens outlive a restart. */
  readonly keyFile: string;
}

const PREFIX = '/_twin/identity';
const DEFAULT_EXPIRY_SECONDS = 12 * 60 * 60;
const MAX_BODY_BYTES = 64 * 1024;
/** What the platform takes as a tenant. A token of any other would be refused by every route, without a hint why. */
const TENANT_PATTERN = /^[a-z0-9](-?[a-z0-9]){1,62}$/;
const MAX_TENANT_LENGTH = 63;
/** How much of a wrong tenant a refusal repeats. */
const QUOTED_LENGTH = 100;

/**
 * An OpenID Connect issuer that signs a token for whoever asks: it stands in for Cognito on a loopback address.
 * What trusts it verifies its tokens exactly as it would verify Cognito's.
 */
export class OidcIssuer {
  readonly #options: OidcIssuerOptions;
  readonly #privateKey: CryptoKey;
  readonly #publicJwk: JWK;

  private constructor(options: OidcIssuerOptions, privateKey: CryptoKey, publicJwk: JWK) {
    this.#options = options;
    this.#privateKey = privateKey;
    this.#publicJwk = publicJwk;
  }

  static async open(options: OidcIssuerOptions): Promise<OidcIssuer> {
    if (!existsSync(options.keyFile)) {
      const { privateKey } = await generateKeyPair('RS256', { extractable: true });
      writeFileSync(options.keyFile, await exportPKCS8(privateKey), { mode: 0o600 });
    }
    const privateKey = await importPKCS8(readFileSync(options.keyFile, 'utf8'), 'RS256', {
      extractable: true,
    });
    const { kty, n, e } = await exportJWK(privateKey);
    const publicJwk = { kty, n, e, alg: 'RS256', use: 'sig', kid: 'twin' } as JWK;
    return new OidcIssuer(options, privateKey, publicJwk);
  }

  issueToken(request: TokenRequest): Promise<string> {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const { tenant, role = 'admin', scope } = request;
    const claims = { tenant, role, token_use: 'access', ...(scope === undefined ? {} : { scope }) };
    return new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'twin', typ: 'JWT' })
      .setIssuer(this.#options.issuer)
      .setAudience(this.#options.audience)
      .setSubject(request.subject ?? `user-of-${request.tenant}`)
      .setJti(randomUUID())
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + (request.expiresInSeconds ?? DEFAULT_EXPIRY_SECONDS))
      .sign(this.#privateKey);
  }

  /** Answers the routes under `/_twin/identity`; false for any other path. */
  async serve(request: IncomingMessage, response: ServerResponse, path: string): Promise<boolean> {
    if (path === `${PREFIX}/.well-known/openid-configuration`) {
      sendJson(response, 200, this.#discovery());
      return true;
    }
    if (path === `${PREFIX}/jwks` || path === `${PREFIX}/.well-known/jwks.json`) {
      sendJson(response, 200, { keys: [this.#publicJwk] });
      return true;
    }
    if (path === `${PREFIX}/token` && request.method === 'POST') {
      await this.#token(request, response);
      return true;
    }
    return false;
  }

  #discovery(): Record<string, unknown> {
    const { issuer } = this.#options;
    return {
      issuer,
      jwks_uri: `${issuer}/.well-known/jwks.json`,
      token_endpoint: `${issuer}/token`,
      response_types_supported: ['token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    };
  }

  async #token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = (await readBody(request, MAX_BODY_BYTES)).toString('utf8');
    const fields = parseFields(body, String(request.headers['content-type'] ?? ''));
    const expiresIn = fields?.expires_in === undefined ? DEFAULT_EXPIRY_SECONDS : Number(fields.expires_in);
    if (typeof fields?.tenant !== 'string' || fields.tenant === '' || !Number.isInteger(expiresIn)) {
      refuse(response, 'send tenant, and if you like role, scope, subject, expires_in (whole seconds)');
      return;
    }
    if (fields.tenant.length > MAX_TENANT_LENGTH || !TENANT_PATTERN.test(fields.tenant)) {
      refuse(
        response,
        `tenant ${JSON.stringify(fields.tenant.slice(0, QUOTED_LENGTH))} must have 2 to ${MAX_TENANT_LENGTH} lower-case letters, digits and single hyphens between them: ${TENANT_PATTERN.source}`,
      );
      return;
    }
    const token = await this.issueToken({
      tenant: fields.tenant,
      expiresInSeconds: expiresIn,
      ...(fields.role === undefined ? {} : { role: String(fields.role) }),
      ...(fields.scope === undefined ? {} : { scope: String(fields.scope) }),
      ...(fields.subject === undefined ? {} : { subject: String(fields.subject) }),
    });
    sendJson(response, 200, { access_token: token, token_type: 'Bearer', expires_in: expiresIn });
  }
}

function refuse(response: ServerResponse, why: string): void {
  sendJson(response, 400, { error: 'invalid_request', error_description: why });
}

function parseFields(body: string, contentType: string): Record<string, unknown> | undefined {
  if (!contentType.includes('json')) {
    return Object.fromEntries(new URLSearchParams(body));
  }
  try {
    const value: unknown = JSON.parse(body);
    return value !== null && typeof value === 'object' ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}
