/** One public list price. */
export interface Price {
  /** What is counted. */
  readonly unit: string;
  /** USD for `per` units. */
  readonly usd: number;
  readonly per: number;
  /** The page of aws.amazon.com that states it. */
  readonly source: string;
  /** Units a month that AWS gives every account for good; offers that end after a year are not here. */
  readonly alwaysFree?: number;
}

const million = 1_000_000;

/**
 * Public list prices without tax, first tier. Before they are relied on, compare them with the pages: they are written
 * down here, not fetched.
 */
export const priceList = {
  region: 'us-east-1',
  currency: 'USD',
  asOf: '2026-06',
  prices: {
    kmsKey: { unit: 'key-months', usd: 1, per: 1, source: 'kms/pricing' },
    kmsRequest: { unit: 'requests', usd: 0.03, per: 10_000, source: 'kms/pricing', alwaysFree: 20_000 },
    secret: { unit: 'secret-months', usd: 0.4, per: 1, source: 'secrets-manager/pricing' },
    alarmMetric: { unit: 'alarm metrics', usd: 0.1, per: 1, source: 'cloudwatch/pricing', alwaysFree: 10 },
    logIngestion: { unit: 'GB', usd: 0.5, per: 1, source: 'cloudwatch/pricing', alwaysFree: 5 },
    logStorage: { unit: 'GB-months', usd: 0.03, per: 1, source: 'cloudwatch/pricing' },
    trace: { unit: 'traces', usd: 5, per: million, source: 'xray/pricing', alwaysFree: 100_000 },
    schedule: {
      unit: 'calls',
      usd: 1,
      per: million,
      source: 'eventbridge/pricing',
      alwaysFree: 14 * million,
    },
    lambdaRequest: {
      unit: 'requests',
      usd: 0.2,
      per: million,
      source: 'lambda/pricing',
      alwaysFree: million,
    },
    lambdaSecond: {
      ...{ unit: 'GB-seconds (arm64)', usd: 0.0000133334, per: 1 },
      ...{ source: 'lambda/pricing', alwaysFree: 400_000 },
    },
    tableRead: { unit: 'read request units', usd: 0.125, per: million, source: 'dynamodb/pricing/on-demand' },
    tableWrite: {
      unit: 'write request units',
      usd: 0.625,
      per: million,
      source: 'dynamodb/pricing/on-demand',
    },
    tableStorage: {
      ...{ unit: 'GB-months', usd: 0.25, per: 1, source: 'dynamodb/pricing/on-demand', alwaysFree: 25 },
    },
    tableBackup: { unit: 'GB-months', usd: 0.2, per: 1, source: 'dynamodb/pricing/on-demand' },
    objectStorage: { unit: 'GB-months', usd: 0.023, per: 1, source: 's3/pricing' },
    objectPut: { unit: 'PUT requests', usd: 0.005, per: 1_000, source: 's3/pricing' },
    auroraCapacity: { unit: 'ACU-hours', usd: 0.12, per: 1, source: 'rds/aurora/pricing' },
    auroraStorage: { unit: 'GB-months', usd: 0.1, per: 1, source: 'rds/aurora/pricing' },
    httpApiRequest: { unit: 'requests', usd: 1, per: million, source: 'api-gateway/pricing' },
    dataOut: { unit: 'GB', usd: 0.09, per: 1, source: 'ec2/pricing/on-demand', alwaysFree: 100 },
  },
} as const satisfies {
  region: string;
  currency: string;
  asOf: string;
  prices: Record<string, Price>;
};

export type PriceName = keyof typeof priceList.prices;

/** A quantity of something that has a price. */
export interface Charge {
  readonly price: PriceName;
  readonly quantity: number;
  /** What it is for, and how the quantity comes about. */
  readonly what: string;
}

export const priceOf = (name: PriceName): Price => priceList.prices[name];

export function usdOf({ price, quantity }: Pick<Charge, 'price' | 'quantity'>): number {
  const { usd, per } = priceOf(price);
  return (quantity * usd) / per;
}

export const totalUsd = (charges: readonly Charge[]): number =>
  charges.reduce((sum, charge) => sum + usdOf(charge), 0);

/** The same where nothing else in the account uses what is free for good. */
export function totalUsdBeyondFree(charges: readonly Charge[]): number {
  const quantities = new Map<PriceName, number>();
  for (const { price, quantity } of charges) quantities.set(price, (quantities.get(price) ?? 0) + quantity);
  let total = 0;
  for (const [price, quantity] of quantities)
    total += usdOf({ price, quantity: Math.max(0, quantity - (priceOf(price).alwaysFree ?? 0)) });
  return total;
}
