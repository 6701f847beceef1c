import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { BilledResource } from '../../infra/cost/billed-resource.ts';
import { costPage, costReport, overLimit } from '../../infra/cost/cost-report.ts';
import { millionPredictions } from '../../infra/cost/million-predictions.ts';
import { priceList, totalUsd, totalUsdBeyondFree } from '../../infra/cost/prices.ts';
import { resourceCharges } from '../../infra/cost/resource-charges.ts';
import { synthesize } from './support/synthesized-app.ts';

const prod = synthesize({ stage: 'prod' }).resources();
const one = (Type: string, Properties: object = {}): BilledResource => ({
  ...{ stack: 'data', logicalId: 'Planted', Type, Properties },
});
const idleUsd = (...resources: BilledResource[]) => totalUsd(resourceCharges(resources).charges);

describe('the price list', () => {
  it('has a positive price with a page for everything', () => {
    for (const [name, { usd, per, source }] of Object.entries(priceList.prices)) {
      expect([name, usd > 0 && per > 0]).toEqual([name, true]);
      expect(source).toMatch(/^[a-z0-9-]+(\/[a-z0-9-]+)*$/);
    }
  });

  it('multiplies, and takes off what is always free once for all charges together', () => {
    const charges = [8, 5].map((quantity) => ({ price: 'alarmMetric', quantity, what: '' }) as const);
    expect(totalUsd(charges)).toBeCloseTo(1.3, 10);
    expect(totalUsdBeyondFree(charges)).toBeCloseTo(0.3, 10);
    expect(totalUsdBeyondFree(charges.slice(0, 1))).toBe(0);
  });
});

describe('an idle month', () => {
  it('of the templates costs less than 5 USD, now and when keys have been rotated', () => {
    const report = costReport(prod);
    expect(overLimit(report)).toBeUndefined();
    // Two keys and a secret alone: a report that forgets them would be cheaper than that.
    expect(report.idleUsd).toBeGreaterThan(2.4);
    expect(report.rotatedKeys).toBe(1);
  });

  it.each(['dev', 'local'])('of stage %s has a price for everything as well', (stage) => {
    expect(() => resourceCharges(synthesize({ stage }).resources())).not.toThrow();
  });

  it('over 5 USD is said, whether at once or after rotations', () => {
    const keys = (count: number, EnableKeyRotation: boolean) =>
      Array.from({ length: count }, () => one('AWS::KMS::Key', { EnableKeyRotation }));
    expect(overLimit(costReport([...prod, ...keys(2, false)]))).toMatch(
      /an idle month costs 5\.\d\d USD, and/,
    );
    const rotated = prod.filter(({ Type }) => Type !== 'AWS::CloudWatch::Alarm');
    expect(overLimit(costReport([...rotated, ...keys(1, true)]))).toMatch(/once keys were rotated/);
  });

  it.each([
    ['a type that nobody has priced', one('AWS::Kinesis::Stream')],
    ['a NAT gateway', one('AWS::EC2::NatGateway')],
    ['an interface endpoint', one('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Interface' })],
    ['a provisioned table', one('AWS::DynamoDB::Table', { BillingMode: 'PROVISIONED' })],
    ['an instance that never pauses', one('AWS::RDS::DBInstance', { DBInstanceClass: 'db.t4g.medium' })],
    ['a schedule by cron', one('AWS::Scheduler::Schedule', { ScheduleExpression: 'cron(0 * * * ? *)' })],
  ])('with %s fails by its name', (_, resource) => {
    expect(() => resourceCharges([...prod, resource])).toThrow(
      expect.objectContaining({
        code: 'RESOURCE_UNPRICED',
        message: expect.stringContaining(
          resource.Type.split('::')[2]!.toLowerCase() === 'schedule' ? 'schedule' : resource.Type,
        ),
      }),
    );
  });

  it('counts an alarm by the metrics that it adds up', () => {
    const terms = ['a', 'b', 'c'].map((Id) => ({ Id, MetricStat: {} }));
    const sum = one('AWS::CloudWatch::Alarm', {
      Metrics: [{ Id: 'sum', Expression: 'a + b + c' }, ...terms],
    });
    expect(idleUsd(sum)).toBeCloseTo(0.3, 10);
    expect(idleUsd(one('AWS::CloudWatch::Alarm', { MetricName: 'Errors' }))).toBeCloseTo(0.1, 10);
  });

  it('counts the hours of a database that does not pause', () => {
    const cluster = (MinCapacity: number) =>
      one('AWS::RDS::DBCluster', { ServerlessV2ScalingConfiguration: { MinCapacity } });
    // 0.5 ACU × 730 hours × 0.12 USD
    expect(idleUsd(cluster(0.5)) - idleUsd(cluster(0))).toBeCloseTo(43.8, 10);
  });

  it('counts what a schedule calls, by its rate and the memory of the function', () => {
    const target = (MemorySize: number): BilledResource => ({
      ...one('AWS::Lambda::Function', { MemorySize, TracingConfig: { Mode: 'Active' } }),
      logicalId: 'Work',
    });
    const every = (rate: string) =>
      one('AWS::Scheduler::Schedule', {
        ...{ ScheduleExpression: `rate(${rate})`, Target: { Arn: { 'Fn::GetAtt': ['Work', 'Arn'] } } },
      });
    const quantities = (rate: string, memoryMiB: number) =>
      Object.fromEntries(
        resourceCharges([every(rate), target(memoryMiB)]).charges.map(({ price, quantity }) => [
          price,
          quantity,
        ]),
      );
    expect(quantities('1 minute', 256)).toMatchObject({
      ...{ schedule: 43_800, lambdaRequest: 43_800, trace: 43_800, kmsRequest: 2 * 8_760 },
    });
    // Once an hour each call starts an environment: 1 s of it. 730 × 1 s × 0.5 GB
    expect(quantities('1 hour', 512).lambdaSecond).toBeCloseTo(365, 10);
  });
});

describe('a million predictions', () => {
  const charges = millionPredictions(prod);
  const usdFor = (price: string) => totalUsd(charges.filter((charge) => charge.price === price));

  it('cost what the lines say', () => {
    expect(usdFor('httpApiRequest')).toBeCloseTo(1, 10);
    // A million and 10,000 of the authorizer, 0.20 USD a million.
    expect(usdFor('lambdaRequest')).toBeCloseTo(0.202, 10);
    // (1e6 × 2.6 ms × 1769 MiB + 1e4 × 20 ms × 512 MiB) / 1024 = 4,591.7 GB-seconds
    expect(usdFor('lambdaSecond')).toBeCloseTo(4_591.7 * 0.0000133334, 4);
    // 100,000 seconds at ten a second, and 5 % of the other 900,000 calls.
    expect(usdFor('trace')).toBeCloseTo((145_000 * 5) / 1e6, 10);
  });

  it('follow the memory of predict in the template', () => {
    const doubled = prod.map((resource) =>
      resource.Properties?.Environment?.Variables?.POWERTOOLS_SERVICE_NAME === 'predict'
        ? { ...resource, Properties: { ...resource.Properties, MemorySize: 2 * 1769 } }
        : resource,
    );
    expect(totalUsd(millionPredictions(doubled)) - totalUsd(charges)).toBeCloseTo(0.0599, 3);
  });
});

describe('docs/costs.md', () => {
  it('is what the templates give', () => {
    const page = readFileSync(new URL('../../docs/costs.md', import.meta.url), 'utf8');
    expect(page).toBe(costPage(costReport(prod)));
  });
});
