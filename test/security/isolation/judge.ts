import type { Attack } from './attacks.ts';
import type { Answer, SentRequest, World } from './world.ts';

/** What went wrong, by the attack that showed it. */
export interface Finding {
  readonly attack: string;
  readonly kind: 'leak' | 'served' | 'distinguishable' | 'failure';
  readonly detail: string;
}

/** Sends an attack and says what of it succeeded. */
export async function judge(world: World, attack: Attack): Promise<Finding[]> {
  const { request, control, token = world.attackerToken, mayServe = false } = attack;
  const sendIt = (one: SentRequest): Promise<Answer> =>
    attack.url === undefined ? world.send(one, token ?? undefined) : sendTo(attack.url, one);
  if (attack.warmedBy !== undefined) {
    const warmed = await world.send(attack.warmedBy, world.ownerToken);
    if (warmed.status !== 200)
      throw new Error(`the owner's own call failed: ${warmed.status} ${warmed.text}`);
  }
  const answer = await sendIt(request);
  const found = (kind: Finding['kind'], detail: string): Finding => ({ attack: attack.name, kind, detail });
  const said = `${answer.status} ${answer.text.slice(0, 300)}`;
  const asked = `${decoded(request.path)} ${request.body ?? ''} ${Object.values(request.headers ?? {}).join(' ')}`;
  const told = `${answer.text} ${Object.values(answer.headers).join(' ')}`;
  // What the attacker has said itself may come back.
  const known = new Set(attack.repeatsAsked === true ? Object.values(world.ids) : []);
  const leaked = world.secrets.filter(
    (secret) => told.includes(secret) && !asked.includes(secret) && !known.has(secret),
  );
  const findings = leaked.length > 0 ? [found('leak', `${leaked.join(', ')} in ${said}`)] : [];
  if (answer.status >= 500) findings.push(found('failure', said));
  if (!mayServe && answer.status < 300) findings.push(found('served', said));
  if (control !== undefined) {
    const other = await sendIt(control);
    const [ours, theirs] = [shapeOf(answer, request), shapeOf(other, control)];
    if (ours !== theirs) findings.push(found('distinguishable', `${ours} but for what nobody has ${theirs}`));
  }
  return findings;
}

const decoded = (path: string): string => {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
};

const perRequest = new Set([
  'date',
  'x-request-id',
  'apigw-requestid',
  'x-prediction-id',
  'etag',
  'content-length',
]);

/** An answer without what differs from request to request, and without the names that were asked for. */
function shapeOf({ status, headers, text }: Answer, request: SentRequest): string {
  const said = `${decoded(request.path)} ${request.body ?? ''} ${Object.values(request.headers ?? {}).join(' ')}`;
  const names = [...said.matchAll(/[A-Za-z0-9_.-]{4,}/g)]
    .map(([name]) => name)
    .sort((a, b) => b.length - a.length);
  const kept = Object.entries(headers)
    .filter(([name]) => !perRequest.has(name.toLowerCase()))
    .sort();
  const body = text.replace(/"request_id":"[^"]*"/, '');
  return names.reduce((all, name) => all.replaceAll(name, '…'), `${status} ${JSON.stringify(kept)} ${body}`);
}

async function sendTo(origin: string, { method, path, body }: SentRequest): Promise<Answer> {
  const response = await fetch(`${origin}${path}`, { method, ...(body === undefined ? {} : { body }) });
  return {
    ...{ status: response.status, headers: Object.fromEntries(response.headers) },
    text: await response.text(),
  };
}
