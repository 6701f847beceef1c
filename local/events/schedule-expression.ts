import { Cron } from 'croner';
import { TwinError } from '../errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** Calls `run` as the expression says, from now on; returns what stops it. */
export function schedule(expression: string, timezone: string | undefined, run: () => void): () => void {
  const rate = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression);
  if (rate !== null) {
    // Counted from the start of the twin, as AWS counts from the creation of the schedule.
    const timer = setInterval(run, Number(rate[1]) * (UNIT_MS[rate[2] as string] as number)).unref();
    return () => clearInterval(timer);
  }
  const cron = /^cron\((.+)\)$/.exec(expression);
  if (cron === null) {
    throw new TwinError(
      'SCHEDULE_UNSUPPORTED',
      `schedule expression ${expression} is neither rate() nor cron()`,
    );
  }
  const job = new Cron(cronPattern(cron[1] as string), { timezone: timezone ?? 'UTC', unref: true }, run);
  return () => job.stop();
}

/**
 * AWS writes `minutes hours day-of-month month day-of-week year` with Sunday as 1; croner's seven fields are
 * `seconds minutes hours day-of-month month day-of-week year` with Sunday as 0.
 */
export function cronPattern(expression: string): string {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 6) {
    throw new TwinError('SCHEDULE_UNSUPPORTED', `cron(${expression}) must have six fields`);
  }
  const [minutes, hours, dayOfMonth, month, dayOfWeek, year] = fields as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const days = dayOfWeek.replaceAll(/(?<![#/])\b[1-7]\b/g, (day) => String(Number(day) - 1));
  return ['0', minutes, hours, dayOfMonth, month, days, year].join(' ').replaceAll('?', '*');
}
