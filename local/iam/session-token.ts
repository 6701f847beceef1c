import { createHmac, timingSafeEqual } from 'node:crypto';
import type { RoleSession } from './principal.ts';

/** What a session token of the local STS says: whose session it is, and until when. */
export interface SessionFacts {
  readonly principal: RoleSession;
  readonly expiresAtMs: number;
}

const PREFIX = 'session-';

/**
 * A session token carries its session itself, under a MAC: nothing of it is kept, so that a link which was signed
 * with it still verifies after a restart of the twin.
 */
export function sessionToken(secret: string, { principal, expiresAtMs }: SessionFacts): string {
  const { roleName, sessionName, tags = {} } = principal;
  const facts = Buffer.from(JSON.stringify([roleName, sessionName, tags, expiresAtMs])).toString('base64url');
  return `${PREFIX}${facts}.${macOf(secret, facts).toString('base64url')}`;
}

/** @returns what the token says, undefined when it is none of this secret's */
export function readSessionToken(secret: string, token: string): SessionFacts | undefined {
  if (!token.startsWith(PREFIX)) return undefined;
  const [facts = '', mac = ''] = token.slice(PREFIX.length).split('.');
  const expected = macOf(secret, facts);
  const given = Buffer.from(mac, 'base64url');
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined;
  const [roleName, sessionName, tags, expiresAtMs] = JSON.parse(
    Buffer.from(facts, 'base64url').toString('utf8'),
  ) as [string, string, Record<string, string>, number];
  return { principal: { type: 'role', roleName, sessionName, tags }, expiresAtMs };
}

const macOf = (secret: string, facts: string): Buffer =>
  createHmac('sha256', secret).update(`session-token\n${facts}`).digest();
