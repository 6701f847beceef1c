import { type Command, Option } from 'commander';
import type { HttpClient } from '../client/http-client.ts';
import { roles, scopes } from '../contracts/scopes.ts';
import { createKey, listKeys, revokeKey } from './commands/keys.ts';
import { listMembers, removeMember, setMember } from './commands/members.ts';
import { setSettings, showSettings } from './commands/settings.ts';

/** How the root makes commands. */
export interface CommandTools {
  readonly client: HttpClient;
  readonly sub: (parent: Command, name: string, description: string) => Command;
  readonly all: (command: Command) => never;
  readonly collect: (value: string, all: readonly string[]) => string[];
}

/** What admins of a tenant do: keys, members, settings. */
export function addTenantCommands(root: Command, { client, sub, all, collect }: CommandTools): void {
  const keys = sub(root, 'keys', 'make, list and revoke API keys');
  sub(keys, 'create', 'make an API key, and print it this once')
    .argument('<name>', 'what it is for')
    .addOption(new Option('--role <role>', 'all that the role may do').choices([...roles]))
    .option('--scope <scope>', `one of ${scopes.join(', ')}; may be repeated`, collect, [])
    .option('--expires-in-days <n>', 'until it is revoked when left out')
    .action((name: string, _options, command: Command) => createKey(client, name, all(command)));
  sub(keys, 'list', 'list API keys').action((_options, command: Command) => listKeys(client, all(command)));
  sub(keys, 'revoke', 'revoke an API key')
    .argument('<key>', 'its id')
    .action((key: string, _options, command: Command) => revokeKey(client, key, all(command)));
  keys.action((_options, command: Command) => listKeys(client, all(command)));

  const members = sub(root, 'members', "list and change members, of the deployment's user pool");
  sub(members, 'list', 'list members').action((_options, command: Command) =>
    listMembers(client, all(command)),
  );
  sub(members, 'set', 'take a user in, or change the role')
    .argument('<subject>', 'the sub of the user')
    .addOption(new Option('--role <role>').choices([...roles]).makeOptionMandatory())
    .action((subject: string, _options, command: Command) => setMember(client, subject, all(command)));
  sub(members, 'remove', 'end a membership')
    .argument('<subject>')
    .action((subject: string, _options, command: Command) => removeMember(client, subject, all(command)));
  members.action((_options, command: Command) => listMembers(client, all(command)));

  const settings = sub(root, 'settings', "show and change the tenant's settings");
  sub(settings, 'show', 'show settings').action((_options, command: Command) =>
    showSettings(client, all(command)),
  );
  sub(settings, 'set', 'change settings; NAME= goes back to the default')
    .argument('<name=value...>', 'such as limits.requests_per_second=5 log_features=hash')
    .option('--reset', 'begin with the defaults of all others', false)
    .action((pairs: string[], _options, command: Command) => setSettings(client, pairs, all(command)));
  settings.action((_options, command: Command) => showSettings(client, all(command)));
}
