import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type FunctionBundles, functionNames } from '../../../infra/bundle-functions.ts';
import type { PlatformAppProps } from '../../../infra/platform-app.ts';
import { PlatformApp } from '../../../infra/platform-app.ts';

/** A resource of a CloudFormation template. */
export interface Resource {
  readonly Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: the shape is that of whatever resource a test looks at
  readonly Properties: any;
  readonly DependsOn?: string | string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Metadata?: Readonly<Record<string, unknown>>;
}

/** A CloudFormation template. */
export interface Template {
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs?: Readonly<Record<string, unknown>>;
  readonly Parameters?: Readonly<Record<string, { Default?: unknown }>>;
  readonly Rules?: Readonly<Record<string, { Assertions: unknown[] }>>;
}

/** A resource with the places it comes from. */
export interface FoundResource extends Resource {
  readonly stack: string;
  readonly logicalId: string;
}

export interface Synthesized {
  readonly outdir: string;
  /** By the last part of the stack's name: data, training, api, identity. */
  readonly templates: Readonly<Record<string, Template>>;
  /** All resources of these types, of all stacks; every resource without arguments. */
  readonly resources: (...types: string[]) => FoundResource[];
}

// One folder per test process: workers that bundle at once must not write the same files.
const scratch = mkdtempSync(path.join(tmpdir(), 'tenantml-infra-'));
const synthesized = new Map<string, Synthesized>();
let placeholders: FunctionBundles | undefined;
let apps = 0;

/** An app whose output goes to a folder of its own, of functions without code unless bundles are given. */
export function scratchApp(props: PlatformAppProps): PlatformApp {
  apps += 1;
  placeholders ??= placeholderBundles();
  return new PlatformApp({
    bundles: placeholders,
    ...props,
    outdir: path.join(scratch, `cdk.out.${apps}`),
    // The layers alone are 90 MB: every app would copy them.
    context: { 'aws:cdk:disable-asset-staging': true },
  });
}

function placeholderBundles(): FunctionBundles {
  const folders = functionNames.map((name) => {
    const folder = path.join(scratch, 'functions', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'index.cjs'), `exports.handler = async () => '${name}';`);
    return [name, folder];
  });
  return Object.fromEntries(folders) as FunctionBundles;
}

/** The templates of an app, synthesized once for the same properties. */
export function synthesize(props: PlatformAppProps): Synthesized {
  const key = JSON.stringify(props);
  const known = synthesized.get(key);
  if (known) return known;
  const assembly = scratchApp(props).synth();
  const templates = Object.fromEntries(
    assembly.stacks.map((stack) => [
      stack.stackName.split('-').at(-1)!,
      JSON.parse(readFileSync(stack.templateFullPath, 'utf8')) as Template,
    ]),
  );
  const all = Object.entries(templates).flatMap(([stack, template]) =>
    Object.entries(template.Resources).map(([logicalId, resource]) => ({ ...resource, stack, logicalId })),
  );
  const result: Synthesized = {
    outdir: assembly.directory,
    templates,
    resources: (...types) =>
      types.length === 0 ? all : all.filter((resource) => types.includes(resource.Type)),
  };
  synthesized.set(key, result);
  return result;
}

/** One statement of an IAM policy, with lists where the template may hold a single value. */
export interface Statement {
  readonly owner: string;
  readonly effect: string;
  readonly actions: readonly string[];
  readonly resources: readonly unknown[];
  readonly condition: unknown;
}

/** Every statement of every identity policy of an app. */
export function identityStatements(app: Synthesized): Statement[] {
  const list = <T>(value: T | T[] | undefined): T[] =>
    value === undefined ? [] : Array.isArray(value) ? value : [value];
  return app
    .resources('AWS::IAM::Policy', 'AWS::IAM::Role', 'AWS::IAM::ManagedPolicy')
    .flatMap((resource) => {
      const documents =
        resource.Type === 'AWS::IAM::Role'
          ? list(resource.Properties.Policies).map(
              (policy) => (policy as { PolicyDocument: unknown }).PolicyDocument,
            )
          : [resource.Properties.PolicyDocument];
      return documents.flatMap((document) =>
        (document as { Statement: Record<string, unknown>[] }).Statement.map((statement) => ({
          owner: `${resource.stack}/${resource.logicalId}`,
          effect: statement.Effect as string,
          actions: list(statement.Action as string | string[]),
          resources: list(statement.Resource),
          condition: statement.Condition,
        })),
      );
    });
}

/** The functions of the platform, by their service name. CDK's own helper functions are not among them. */
export function platformFunctions(app: Synthesized): Map<string, FoundResource> {
  const functions = app
    .resources('AWS::Lambda::Function')
    .filter(({ Properties }) => Properties.Environment?.Variables?.POWERTOOLS_SERVICE_NAME !== undefined)
    .map(
      (resource) =>
        [resource.Properties.Environment.Variables.POWERTOOLS_SERVICE_NAME as string, resource] as const,
    );
  return new Map(functions);
}
