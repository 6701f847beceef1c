/**
 * Writes examples/support-tickets.csv: a made-up help desk, 4,000 tickets, seeded. The label follows from the
 * fields by a rule with noise, so that a model has something to learn and something it cannot know.
 */
import { writeFileSync } from 'node:fs';

const nRows = 4_000;
let state = 20_260_131;
/** Park and Miller's minimal standard generator (CACM 31, 1988): in (0, 1). */
const uniform = (): number => {
  state = (state * 48_271) % 2_147_483_647;
  return state / 2_147_483_647;
};
const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
const pick = <const Item>(items: readonly Item[], weights: readonly number[]): Item => {
  const at = uniform() * weights.reduce((sum, weight) => sum + weight, 0);
  let passed = 0;
  for (const [i, item] of items.entries()) {
    passed += weights[i]!;
    if (at < passed) return item;
  }
  return items.at(-1)!;
};

const startMs = Date.UTC(2026, 0, 5);
const hourMs = 3_600_000;
const lines = [
  'opened_at,channel,product,plan,region,account_age_days,seats,open_tickets,message_length,attachments,affected_users,is_outage_reported,last_satisfaction,priority',
];
for (let i = 0; i < nRows; i++) {
  const openedMs = startMs + Math.floor(uniform() * 180 * 24) * hourMs;
  const hour = new Date(openedMs).getUTCHours();
  const channel = pick(['email', 'chat', 'phone', 'portal'], [5, 4, 2, 3]);
  const product = pick(['billing', 'api', 'dashboard', 'mobile', 'integrations'], [3, 4, 5, 2, 2]);
  const plan = pick(['free', 'team', 'business', 'enterprise'], [6, 5, 3, 1.5]);
  const region = pick(['EMEA', 'Americas', 'APAC'], [4, 5, 3]);
  const ageDays = Math.floor(-600 * Math.log(uniform()));
  const seats =
    plan === 'free' ? 1 : Math.max(2, Math.round(Math.exp(2.2 + normal() + (plan === 'enterprise' ? 2 : 0))));
  const openTickets = Math.floor(-1.6 * Math.log(uniform()));
  const messageLength = Math.round(Math.exp(5.4 + 0.7 * normal()));
  const attachments = Math.floor(-0.7 * Math.log(uniform()));
  const outage = uniform() < (product === 'api' ? 0.16 : 0.06);
  const affected = outage
    ? Math.max(1, Math.round(seats * uniform()))
    : uniform() < 0.3
      ? 1 + Math.floor(uniform() * 4)
      : 0;
  const satisfaction = uniform() < 0.18 ? '' : String(Math.max(1, Math.min(5, Math.round(3.8 + normal()))));
  const urgency =
    -1.9 +
    (outage ? 2.6 : 0) +
    0.5 * Math.log1p(affected) +
    { free: -0.9, team: 0, business: 0.5, enterprise: 1.3 }[plan] +
    { email: -0.3, chat: 0.2, phone: 0.9, portal: -0.2 }[channel] +
    0.28 * openTickets +
    (product === 'billing' && hour >= 8 && hour <= 17 ? 0.7 : 0) +
    (satisfaction !== '' && Number(satisfaction) <= 2 ? 0.6 : 0) +
    0.55 * normal();
  const priority = urgency > 0.4 ? 'urgent' : urgency > -1.4 ? 'normal' : 'low';
  lines.push(
    [
      new Date(openedMs).toISOString(),
      channel,
      product,
      plan,
      region,
      ageDays,
      seats,
      openTickets,
      messageLength,
      attachments,
      affected,
      outage,
      satisfaction,
      priority,
    ].join(','),
  );
}
writeFileSync(new URL('../examples/support-tickets.csv', import.meta.url), `${lines.join('\n')}\n`);
