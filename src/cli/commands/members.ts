import { allPages } from '../../client/all-pages.ts';
import type { HttpClient } from '../../client/http-client.ts';
import type { Role } from '../../contracts/scopes.ts';
import type { Member } from '../../contracts/tenant.ts';
import { type Output, print, printJson, table } from '../output.ts';

export async function listMembers(client: HttpClient, options: Output): Promise<void> {
  const items = await allPages<Member>((cursor) =>
    client.call('listMembers', { query: { limit: 100, cursor } }),
  );
  if (options.json) return printJson(items);
  if (items.length === 0) return print('no members; tenantml members set SUBJECT --role ROLE takes one in');
  print(
    table(
      ['subject', 'role', 'by', 'changed'],
      items.map((one) => [one.subject, one.role, one.changed_by, one.changed_at.slice(0, 10)]),
    ),
  );
}

export async function setMember(
  client: HttpClient,
  subject: string,
  options: Output & { readonly role: Role },
): Promise<void> {
  const member = await client.call('putMember', {
    params: { subject: subject as never },
    body: { role: options.role },
  });
  if (options.json) return printJson(member);
  print(`${member.subject} is ${member.role} from the next token on`);
}

export async function removeMember(client: HttpClient, subject: string, options: Output): Promise<void> {
  const answer = await client.call('removeMember', { params: { subject: subject as never } });
  if (options.json) return printJson(answer);
  print(`${answer.subject} is no member; tokens that are out work until they end`);
}
