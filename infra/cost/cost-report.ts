import type { BilledResource } from './billed-resource.ts';
import { millionPredictions } from './million-predictions.ts';
import { type Charge, priceList, priceOf, totalUsd, totalUsdBeyondFree, usdOf } from './prices.ts';
import { type ResourceCharges, resourceCharges } from './resource-charges.ts';

/** What an idle month may cost; at this or above it the report fails. */
export const IDLE_LIMIT_USD = 5;
/** KMS bills the first two rotations of a key, a dollar a month each from then on, and no later ones. */
const BILLED_ROTATIONS = 2;

export interface CostReport extends ResourceCharges {
  /** An idle month of the first year, as if nothing were free. */
  readonly idleUsd: number;
  /** The same when keys have been rotated, less what AWS gives every account for good. */
  readonly laterIdleUsd: number;
  readonly rotatedKeys: number;
  readonly predictions: readonly Charge[];
  readonly predictionsUsd: number;
}

/** @throws {UnpricedResourceError} */
export function costReport(resources: readonly BilledResource[]): CostReport {
  const idle = resourceCharges(resources);
  const predictions = millionPredictions(resources);
  const rotatedKeys = resources.filter(
    ({ Type, Properties }) => Type === 'AWS::KMS::Key' && Properties.EnableKeyRotation === true,
  ).length;
  const rotations: Charge = { price: 'kmsKey', quantity: rotatedKeys * BILLED_ROTATIONS, what: 'rotations' };
  return {
    ...idle,
    ...{ rotatedKeys, predictions, predictionsUsd: totalUsd(predictions) },
    idleUsd: totalUsd(idle.charges),
    laterIdleUsd: totalUsdBeyondFree([...idle.charges, rotations]),
  };
}

/** @returns why the report fails; nothing when it does not */
export function overLimit({ idleUsd, laterIdleUsd }: CostReport): string | undefined {
  if (idleUsd >= IDLE_LIMIT_USD)
    return `an idle month costs ${usd(idleUsd)} USD, and less than ${IDLE_LIMIT_USD} USD is what it may cost`;
  if (laterIdleUsd >= IDLE_LIMIT_USD)
    return `an idle month costs ${usd(laterIdleUsd)} USD once keys were rotated, and less than ${IDLE_LIMIT_USD} USD is what it may cost`;
  return undefined;
}

/** The report as a page of the documentation. */
export function costPage(report: CostReport): string {
  const { region, currency, asOf } = priceList;
  return `<!-- Written by npm run cost -- --write from the synthesized templates and infra/cost; do not edit. -->

# What it costs

From the resources in the templates of stage \`prod\` (\`npm run cost\`), at public list prices of ${region} in ${currency}, as of
${asOf}, first tier, without tax. It is an estimate, not a bill, and none of it has been measured on AWS. Prices are in
\`infra/cost/prices.ts\`, with their pages; other regions differ by a tenth or two. A type of resource that has neither a price nor a reason to be
free fails the report, and so does an idle month of ${IDLE_LIMIT_USD} USD or more.

## An idle month

Nobody calls; schedules run, and the stores hold what a pilot leaves: ${quantities(report)}.

${table(report.charges)}
| | | | **${usd(report.idleUsd)}** |

Nothing above is taken off for being free. AWS gives every account some of it for good: ${alwaysFree(report.charges)}.
Offers that end after a year do not count here.

The encryption key is rotated every year, and KMS bills the first two rotations of a key 1.00 USD a month each for as long as it is
there, and later ones not at all. From the third year on an idle month is ${usd(report.idleUsd + report.rotatedKeys * BILLED_ROTATIONS)} USD by the list, and **${usd(report.laterIdleUsd)} USD**
without what is always free. What would make it cheaper: no traces of the minute's schedule, a longer rotation period.

## A million predictions

One row each, ten a second, as predict is in the template. Each line is quantity × price; what a call takes is in
\`infra/cost/million-predictions.ts\`, measured where it says so and assumed where not.

${table(report.predictions)}
| | | | **${usd(report.predictionsUsd)}** |

## What costs nothing while idle

| resource | number | because |
|---|---|---|
${report.free.map(({ type, count, reason }) => `| \`${type}\` | ${count} | ${reason} |`).join('\n')}

Not in the templates: the bucket of CDK's bootstrap, some 0.2 GB of code for each deployment that is kept.
`;
}

function table(charges: readonly Charge[]): string {
  const rows = charges.map((charge) => {
    const { unit, usd: price, per, source } = priceOf(charge.price);
    const each = per === 1 ? `${price}` : `${price} / ${amount(per)}`;
    return `| ${charge.what} | ${amount(charge.quantity)} ${unit} | ${each} ([${source}](https://aws.amazon.com/${source}/)) | ${usd(usdOf(charge))} |`;
  });
  return ['| for | quantity | USD each | USD |', '|---|---|---|---|', ...rows].join('\n');
}

function alwaysFree(charges: readonly Charge[]): string {
  const names = [...new Set(charges.map(({ price }) => price))];
  return names
    .map((name) => priceOf(name))
    .filter(({ alwaysFree: free }) => free !== undefined)
    .map(({ unit, alwaysFree: free, source }) => `${amount(free!)} ${unit} of ${source.split('/')[0]}`)
    .join(', ');
}

const quantities = ({ charges }: CostReport): string =>
  (['objectStorage', 'tableStorage', 'auroraStorage'] as const)
    .map((price) => {
      const gb = charges
        .filter((one) => one.price === price)
        .reduce((sum, { quantity }) => sum + quantity, 0);
      return `${amount(gb)} GB in ${{ objectStorage: 'buckets', tableStorage: 'tables', auroraStorage: 'Postgres' }[price]}`;
    })
    .join(', ');

const usd = (value: number): string => (value > 0 && value < 0.005 ? '< 0.01' : value.toFixed(2));

const amount = (value: number): string =>
  value >= 100
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toFixed(value >= 1 ? 1 : 3)));
