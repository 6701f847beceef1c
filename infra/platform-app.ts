import { readFileSync } from 'node:fs';
import path from 'node:path';
import { App, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, NIST80053R5Checks, ServerlessChecks } from 'cdk-nag';
import { ApiStack } from './api-stack.ts';
import { bundleFunctions, type FunctionBundles } from './bundle-functions.ts';
import type { PlatformContext } from './constructs/platform-function.ts';
import { DataStack } from './data-stack.ts';
import { IdentityStack } from './identity-stack.ts';
import { type StageDefinition, stageSettings } from './stage.ts';
import { stages as projectStages } from './stages.ts';
import { TrainingStack } from './training-stack.ts';

const DEFAULT_STAGE = 'dev';
const root = path.resolve(import.meta.dirname, '..');

export interface PlatformAppProps {
  /** @default - context `stage`, or `dev` */
  readonly stage?: string;
  /** @default - the stages of `stages.ts` */
  readonly stages?: Readonly<Record<string, StageDefinition>>;
  /** Where the cloud assembly goes. @default - as the CDK command line says */
  readonly outdir?: string;
  /** Bundles that are there already. @default - all functions are bundled to `.build/functions` */
  readonly bundles?: FunctionBundles;
  /** Context beyond that of cdk.json. @default - none */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** The whole platform for one stage, with the rule packs that every synth must pass. */
export class PlatformApp extends App {
  readonly stage: string;

  constructor(props: PlatformAppProps = {}) {
    super({
      context: {
        ...projectContext(),
        // What the command line adds by itself: the twin finds a function's code by this metadata.
        'aws:cdk:enable-asset-metadata': true,
        ...props.context,
      },
      analyticsReporting: false,
      ...(props.outdir !== undefined && { outdir: props.outdir }),
    });
    this.stage = props.stage ?? (this.node.tryGetContext('stage') as string | undefined) ?? DEFAULT_STAGE;
    const settings = stageSettings(this.stage, props.stages ?? projectStages);
    const platform: PlatformContext = {
      settings,
      root,
      bundles: props.bundles ?? bundleFunctions({ root, outdir: path.join(root, '.build/functions') }),
    };
    const env = {
      ...(settings.account !== undefined && { account: settings.account }),
      ...(settings.region !== undefined && { region: settings.region }),
    };
    const shared = { platform, env };
    const name = (part: string) => `tenantml-${settings.name}-${part}`;

    const data = new DataStack(this, name('data'), { ...shared, description: 'TenantML: state' });
    const training = new TrainingStack(this, name('training'), {
      ...shared,
      data,
      description: 'TenantML: jobs',
    });
    const identity =
      settings.identity.kind === 'cognito'
        ? new IdentityStack(this, name('identity'), { ...shared, data, description: 'TenantML: identity' })
        : undefined;
    new ApiStack(this, name('api'), {
      ...shared,
      data,
      training,
      ...(identity && { identity }),
      description: 'TenantML: HTTP API',
    });

    Tags.of(this).add('tenantml:stage', settings.name);
    Validations.of(this).addPlugins(
      new AwsSolutionsChecks(this),
      new ServerlessChecks(this),
      new NIST80053R5Checks(this),
    );
  }
}

/** The context of cdk.json, which the CDK command line passes by itself and a direct run would lack. */
function projectContext(): Record<string, unknown> {
  const file = JSON.parse(readFileSync(path.join(root, 'cdk.json'), 'utf8')) as {
    context: Record<string, unknown>;
  };
  return file.context;
}
