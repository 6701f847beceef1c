import type { HttpClient } from '../../client/http-client.ts';
import type { OwnSettings, SettingsView } from '../../contracts/tenant.ts';
import { UsageError } from '../exit-code.ts';
import { type Output, print, printJson, table } from '../output.ts';

export interface SettingOptions extends Output {
  readonly reset: boolean;
}

/** Values of a part by the names that the command line has for them: `limits.burst`, `log_features`. */
function flat(settings: object, before = ''): [string, string | number][] {
  return Object.entries(settings).flatMap(([name, value]): [string, string | number][] =>
    typeof value === 'object' ? flat(value, `${before}${name}.`) : [[`${before}${name}`, value]],
  );
}

export async function showSettings(client: HttpClient, options: Output): Promise<void> {
  const settings = await client.call('getSettings', {});
  if (options.json) return printJson(settings);
  printSettings(settings);
}

function printSettings(settings: SettingsView): void {
  const { revision, plan, agreed, own, changed_by: _by, changed_at: _at, ...rest } = settings;
  const [set, bounds] = [new Map(flat(own)), new Map(flat({ limits: agreed }))];
  print(`plan ${plan}, revision ${revision}`);
  print(
    table(
      ['setting', 'holds', 'set', 'agreed'],
      flat(rest).map(([name, value]) => [name, value, set.get(name) ?? '-', bounds.get(name) ?? '-']),
    ),
  );
}

/** Changes what is named and leaves the rest, unless all is to begin anew; `NAME=` goes back to the default. */
export async function setSettings(
  client: HttpClient,
  pairs: readonly string[],
  options: SettingOptions,
): Promise<void> {
  const { revision, own } = await client.call('getSettings', {});
  const values = new Map<string, unknown>(options.reset ? [] : flat(own));
  for (const pair of pairs) {
    const [, name, text] = /^([a-z_.]+)=(.*)$/.exec(pair) ?? [];
    if (name === undefined) throw new UsageError(`${pair} must be NAME=VALUE, such as limits.burst=10`);
    if (text === '') values.delete(name);
    else values.set(name, Number.isNaN(Number(text)) ? text : Number(text));
  }
  const body: Record<string, unknown> = {};
  for (const [name, value] of values) {
    const [part, inner] = name.split('.') as [string, string?];
    if (inner === undefined) body[part] = value;
    else body[part] = { ...(body[part] as object | undefined), [inner]: value };
  }
  const changed = await client.call('putSettings', { body: { ...(body as OwnSettings), revision } });
  if (options.json) return printJson(changed);
  printSettings(changed);
}
