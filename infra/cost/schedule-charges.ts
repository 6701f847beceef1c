import { type BilledResource, UnpricedResourceError } from './billed-resource.ts';
import type { Charge } from './prices.ts';

const MINUTES_A_MONTH = 730 * 60;
const MINUTES: Readonly<Record<string, number>> = { minute: 1, hour: 60, day: 1440 };

/** What one call by a schedule takes. Not measured on AWS: a warm call that reads one table and finds nothing. */
const ASSUMED = {
  secondsWarm: 0.05,
  /** Called less often than this, each call finds no environment and starts one. */
  warmForMinutes: 10,
  secondsCold: 1,
  logBytes: 1_500,
  readUnits: 1,
  /** DynamoDB and CloudWatch Logs ask KMS again for the key of a table and of a log group after this. */
  keyForMinutes: 5,
  keys: 2,
} as const;

/** What a schedule costs by itself: its calls, the function that it calls, and what that reads and writes. */
export function scheduleCharges(schedule: BilledResource, all: readonly BilledResource[]): readonly Charge[] {
  const everyMinutes = minutesOf(schedule);
  const target = targetOf(schedule, all);
  const { Properties } = target;
  const name = String(Properties.Environment?.Variables?.POWERTOOLS_SERVICE_NAME ?? target.logicalId);
  const calls = MINUTES_A_MONTH / everyMinutes;
  const seconds = everyMinutes > ASSUMED.warmForMinutes ? ASSUMED.secondsCold : ASSUMED.secondsWarm;
  const memoryMiB = Number(Properties.MemorySize);
  const what = `${name}, every ${everyMinutes === 1 ? 'minute' : `${everyMinutes} minutes`}`;
  const logGb = (calls * ASSUMED.logBytes) / 1e9;
  return [
    { price: 'schedule', quantity: calls, what },
    { price: 'lambdaRequest', quantity: calls, what },
    {
      ...{ price: 'lambdaSecond', quantity: (calls * seconds * memoryMiB) / 1024 },
      what: `${what}: ${seconds} s at ${memoryMiB} MiB`,
    },
    // One request a second is traced, and these are slower.
    ...(Properties.TracingConfig?.Mode === 'Active'
      ? [{ price: 'trace', quantity: calls, what } as const]
      : []),
    { price: 'logIngestion', quantity: logGb, what: `${what}: ${ASSUMED.logBytes} bytes each` },
    { price: 'tableRead', quantity: calls * ASSUMED.readUnits, what },
    {
      price: 'kmsRequest',
      quantity: (ASSUMED.keys * MINUTES_A_MONTH) / Math.max(everyMinutes, ASSUMED.keyForMinutes),
      what,
    },
  ];
}

function minutesOf({ logicalId, Properties }: BilledResource): number {
  const [, count, unit] =
    /^rate\((\d+) (minute|hour|day)s?\)$/.exec(String(Properties.ScheduleExpression)) ?? [];
  if (count === undefined)
    throw new UnpricedResourceError([`the schedule ${logicalId} (${String(Properties.ScheduleExpression)})`]);
  return Number(count) * MINUTES[unit!]!;
}

function targetOf(
  { stack, logicalId, Properties }: BilledResource,
  all: readonly BilledResource[],
): BilledResource {
  const [target] = (Properties.Target?.Arn?.['Fn::GetAtt'] ?? []) as string[];
  const found = all.find((one) => one.stack === stack && one.logicalId === target);
  if (found?.Type !== 'AWS::Lambda::Function')
    throw new UnpricedResourceError([`the target of the schedule ${logicalId}`]);
  return found;
}
