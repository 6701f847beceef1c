import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type CfnResource, Validations } from 'aws-cdk-lib';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnLogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks, NIST80053R5Checks, ServerlessChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { describe, expect, it } from 'vitest';
import type { DataStack } from '../../infra/data-stack.ts';
import type { PlatformApp } from '../../infra/platform-app.ts';
import { stages } from '../../infra/stages.ts';
import { scratchApp } from './support/synthesized-app.ts';

interface Acknowledged {
  readonly scope: IConstruct;
  readonly id: string;
  readonly reason: string;
}

function acknowledgements(app: PlatformApp): Acknowledged[] {
  const entries = app.node.findAll().flatMap((scope) =>
    scope.node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries(data as Record<string, string>))
      .map(([id, reason]) => ({ scope, id: id.replace(/^Annotation::/i, ''), reason })),
  );
  // CDK acknowledges rules of its own validator for its own constructs.
  return entries.filter(({ id }) => !id.startsWith('CloudFormation-Validate::'));
}

/** All findings, also those that are acknowledged, as `<rule> <construct path>`. */
function rawFindings(app: PlatformApp): { rule: string; construct: string }[] {
  return [new AwsSolutionsChecks(), new ServerlessChecks(), new NIST80053R5Checks()].flatMap((pack) => {
    Object.assign(pack, { isAcknowledged: () => false });
    return pack
      .validateScope(app)
      .violations.flatMap(({ ruleName, violatingResources }) =>
        violatingResources.map(({ constructPath }) => ({ rule: ruleName, construct: constructPath! })),
      );
  });
}

function reportOf(app: PlatformApp): string {
  return readFileSync(path.join(app.outdir, 'validation-report.json'), 'utf8');
}

function dataStack(app: PlatformApp): DataStack {
  return app.node.findChild(`tenantml-${app.stage}-data`) as DataStack;
}

/** A stage that tells somebody of alarms, which brings resources that the others lack. */
const watched = {
  ...stages.prod,
  alarms: { email: 'ops@example.com', topicArn: 'arn:aws:sns:eu-central-1:123456789012:ops' },
};
const apps = [
  ...['prod', 'dev', 'local'].map((stage) => scratchApp({ stage })),
  scratchApp({ stage: 'watched', stages: { watched } }),
];

describe('rule packs', () => {
  it.each(apps)('find nothing unacknowledged in stage $stage', (app) => {
    expect(() => app.synth()).not.toThrow();
    expect(JSON.parse(reportOf(app))).toMatchObject({ pluginReports: [] });
  });

  it('stop the synthesis of a bucket without TLS policy', () => {
    const app = scratchApp({ stage: 'prod' });
    new CfnBucket(dataStack(app), 'Planted');
    expect(() => app.synth()).toThrow(/Validation failed|AwsSolutions-S10/);
    expect(reportOf(app)).toContain('AwsSolutions-S10');
  });

  it('stop the synthesis of a log group that anybody could read who can read logs', () => {
    const app = scratchApp({ stage: 'prod' });
    new CfnLogGroup(dataStack(app), 'Planted');
    expect(() => app.synth()).toThrow(/NIST.800.53.R5-CloudWatchLogGroupEncrypted/);
  });

  it('stop the synthesis of a template that CloudFormation would refuse', () => {
    const app = scratchApp({ stage: 'prod' });
    const planted = app.node.findAll().find((node) => node instanceof CfnFunction) as CfnResource;
    planted.addPropertyOverride('MemorySize', 'plenty');
    expect(() => app.synth()).toThrow(/MemorySize/);
  });
});

describe('acknowledgements', () => {
  it('each say why in a sentence', () => {
    for (const { id, reason } of apps.flatMap(acknowledgements)) {
      expect(reason.length, id).toBeGreaterThan(40);
      expect(reason, id).toMatch(/\.$/);
    }
  });

  it('each silence a finding that exists', () => {
    for (const app of apps) {
      const findings = rawFindings(app);
      const idle = acknowledgements(app).filter(
        ({ scope, id }) =>
          !findings.some(
            ({ rule, construct }) => rule === id && `${construct}/`.startsWith(`${scope.node.path}/`),
          ),
      );
      expect(idle.map(({ scope, id }) => `${scope.node.path} ${id}`)).toEqual([]);
    }
  });

  it('are kept beside constructs, never on a stack or the app', () => {
    for (const { scope, id } of apps.flatMap(acknowledgements)) {
      expect(scope.node.path.split('/').length, id).toBeGreaterThan(1);
    }
  });
});
