import type { HttpClient } from '../../client/http-client.ts';
import type { ApiKey, ApiKeyRequest } from '../../contracts/tenant.ts';
import { UsageError } from '../exit-code.ts';
import { type Output, print, printJson, table } from '../output.ts';
import { wholeNumber } from '../whole-number.ts';

export interface KeyOptions extends Output {
  readonly role?: string;
  readonly scope: readonly string[];
  readonly expiresInDays?: string;
}

/** What a key may do, in few words. */
const grantOf = ({ role, scopes }: Pick<ApiKey, 'role' | 'scopes'>): string => role ?? scopes.join(' ');

export async function createKey(client: HttpClient, name: string, options: KeyOptions): Promise<void> {
  const { role, scope, expiresInDays, json } = options;
  if ((role === undefined) === (scope.length === 0)) throw new UsageError('give either --role or --scope');
  const body = {
    name,
    ...(role === undefined ? { scopes: scope } : { role }),
    ...(expiresInDays === undefined
      ? {}
      : { expires_in_days: wholeNumber('--expires-in-days', expiresInDays) }),
  } as ApiKeyRequest;
  const key = await client.call('createApiKey', { body });
  if (json) return printJson(key);
  // Alone on its stream, so that a script can take it.
  print(key.api_key);
  if (options.quiet) return;
  const end = key.expires_at === undefined ? '' : `, until ${key.expires_at.slice(0, 10)}`;
  process.stderr.write(`${key.key_id}: ${grantOf(key)}${end}; the key is shown this once\n`);
}

export async function listKeys(client: HttpClient, options: Output): Promise<void> {
  const { items } = await client.call('listApiKeys', {});
  if (options.json) return printJson(items);
  if (items.length === 0) return print('no API keys; tenantml keys create NAME --role service makes one');
  print(
    table(
      ['key', 'name', 'begins', 'may', 'by', 'created', 'expires'],
      items.map((key) => [
        key.key_id,
        key.name,
        `${key.prefix}…`,
        grantOf(key),
        key.created_by,
        key.created_at.slice(0, 10),
        key.expires_at?.slice(0, 10) ?? 'never',
      ]),
    ),
  );
}

export async function revokeKey(client: HttpClient, keyId: string, options: Output): Promise<void> {
  const answer = await client.call('revokeApiKey', { params: { key_id: keyId as never } });
  if (options.json) return printJson(answer);
  print(`${answer.key_id} is revoked; the gateway may believe in it for five minutes more`);
}
