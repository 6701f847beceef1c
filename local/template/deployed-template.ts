import { ACCOUNT_ID, PARTITION, REGION } from '../aws/account.ts';
import { TwinError } from '../errors.ts';
import type { Stack, TemplateResource } from './cloud-assembly.ts';
import { type IntrinsicScope, NO_VALUE, resolveCondition, resolveValue } from './intrinsics.ts';
import { reasonNotRun } from './not-run.ts';
import { physicalName } from './physical-name.ts';
import {
  placeholderAttribute,
  RESOURCE_TYPES,
  type ResourceReference,
  type TemplateRuntime,
} from './resource-types.ts';

/** One resource with every intrinsic function resolved. */
export interface DeployedResource {
  readonly type: string;
  readonly stack: string;
  readonly logicalId: string;
  /** What `Ref` gives. */
  readonly physicalId: string;
  readonly properties: Record<string, unknown>;
  readonly metadata: Record<string, unknown>;
  /** Short human name: the last construct of the CDK path, e.g. `predict`. */
  readonly label: string;
  readonly assemblyDirectory: string;
  attribute(name: string): string;
}

export interface DeploymentOptions {
  readonly runtime: TemplateRuntime;
  /** Values for CfnParameters, by name, whatever stack declares them. */
  readonly parameters?: Readonly<Record<string, string>>;
}

/** All stacks of the app, resolved as one deployment: cross-stack imports find their exports. */
export class DeployedTemplate {
  readonly resources: readonly DeployedResource[];
  readonly skipped: ReadonlyArray<{
    readonly type: string;
    readonly logicalId: string;
    readonly reason: string;
  }>;

  constructor(stacks: readonly Stack[], options: DeploymentOptions) {
    const resolution = new Resolution(stacks, options);
    const resources: DeployedResource[] = [];
    const skipped: { type: string; logicalId: string; reason: string }[] = [];
    const unknown = new Set<string>();
    for (const stack of stacks) {
      for (const [logicalId, resource] of Object.entries(stack.template.Resources ?? {})) {
        const reason = reasonNotRun(resource.Type);
        if (resource.Type in RESOURCE_TYPES) {
          if (resolution.exists(stack, resource))
            resources.push(resolution.deploy(stack, logicalId, resource));
        } else if (reason !== undefined) {
          skipped.push({ type: resource.Type, logicalId, reason });
        } else {
          unknown.add(`${resource.Type} (${stack.name}/${logicalId})`);
        }
      }
    }
    if (unknown.size > 0) {
      throw new TwinError(
        'RESOURCE_TYPE_UNKNOWN',
        `the twin neither runs nor knowingly skips: ${[...unknown].join(', ')}; add it to local/template/not-run.ts with a reason, or run it`,
      );
    }
    this.resources = resources;
    this.skipped = skipped;
  }

  ofType(...types: readonly string[]): DeployedResource[] {
    return this.resources.filter((resource) => types.includes(resource.type));
  }
}

class Resolution {
  readonly #stacks: readonly Stack[];
  readonly #options: DeploymentOptions;
  #exports: Map<string, { stack: Stack; value: unknown }> | undefined;

  constructor(stacks: readonly Stack[], options: DeploymentOptions) {
    this.#stacks = stacks;
    this.#options = options;
  }

  exists(stack: Stack, resource: TemplateResource): boolean {
    return resource.Condition === undefined || this.#scope(stack, 'Condition').condition(resource.Condition);
  }

  deploy(stack: Stack, logicalId: string, resource: TemplateResource): DeployedResource {
    const metadata = resource.Metadata ?? {};
    return {
      type: resource.Type,
      stack: stack.name,
      logicalId,
      physicalId: this.#ref(stack, logicalId) as string,
      properties: resolveValue(resource.Properties ?? {}, this.#scope(stack, logicalId)) as Record<
        string,
        unknown
      >,
      metadata,
      label: labelOf(logicalId, metadata),
      assemblyDirectory: stack.assemblyDirectory,
      attribute: (name) => this.#attribute(stack, logicalId, name),
    };
  }

  #scope(stack: Stack, where: string): IntrinsicScope {
    return {
      where: `${stack.name}/${where}`,
      ref: (logicalId) => this.#ref(stack, logicalId),
      attribute: (logicalId, name) => this.#attribute(stack, logicalId, name),
      importValue: (name) => this.#import(name, `${stack.name}/${where}`),
      condition: (name) => {
        const condition = stack.template.Conditions?.[name];
        if (condition === undefined)
          throw new TwinError('CONDITION_UNKNOWN', `${stack.name} has no condition ${name}`);
        return resolveCondition(condition, this.#scope(stack, name));
      },
      mapping: (map, first, second) => stack.template.Mappings?.[map]?.[first]?.[second],
    };
  }

  #ref(stack: Stack, logicalId: string): unknown {
    switch (logicalId) {
      case 'AWS::Region':
        return REGION;
      case 'AWS::AccountId':
        return ACCOUNT_ID;
      case 'AWS::Partition':
        return PARTITION;
      case 'AWS::URLSuffix':
        return 'amazonaws.com';
      case 'AWS::StackName':
        return stack.name;
      case 'AWS::StackId':
        return `arn:${PARTITION}:cloudformation:${REGION}:${ACCOUNT_ID}:stack/${stack.name}/local`;
      case 'AWS::NotificationARNs':
        return [];
      case 'AWS::NoValue':
        return NO_VALUE;
    }
    const parameter = stack.template.Parameters?.[logicalId];
    if (parameter !== undefined) {
      const given = this.#options.parameters?.[logicalId] ?? parameter.Default;
      if (given === undefined) {
        throw new TwinError(
          'PARAMETER_MISSING',
          `${stack.name}: parameter ${logicalId} has no default and no value`,
        );
      }
      return given;
    }
    const resource = this.#resource(stack, logicalId);
    const type = RESOURCE_TYPES[resource.Type];
    return type === undefined
      ? physicalName(stack.name, logicalId)
      : type.ref(this.#reference(stack, logicalId, resource));
  }

  #attribute(stack: Stack, logicalId: string, name: string): string {
    const resource = this.#resource(stack, logicalId);
    const type = RESOURCE_TYPES[resource.Type];
    if (type === undefined) {
      return placeholderAttribute(resource.Type, physicalName(stack.name, logicalId), name);
    }
    const value = type.attribute?.(this.#reference(stack, logicalId, resource), name);
    if (value === undefined) {
      throw new TwinError(
        'ATTRIBUTE_UNKNOWN',
        `${stack.name}/${logicalId}: ${resource.Type} has no attribute ${name} here`,
      );
    }
    return value;
  }

  #reference(stack: Stack, logicalId: string, resource: TemplateResource): ResourceReference {
    return {
      stack: stack.name,
      logicalId,
      runtime: this.#options.runtime,
      property: (name) => {
        const value = resource.Properties?.[name];
        return value === undefined ? undefined : resolveValue(value, this.#scope(stack, logicalId));
      },
    };
  }

  #resource(stack: Stack, logicalId: string): TemplateResource {
    const resource = stack.template.Resources?.[logicalId];
    if (resource === undefined) {
      throw new TwinError('REFERENCE_UNKNOWN', `${stack.name} has no resource or parameter ${logicalId}`);
    }
    return resource;
  }

  #import(name: string, where: string): unknown {
    if (this.#exports === undefined) {
      this.#exports = new Map();
      for (const stack of this.#stacks) {
        for (const [id, output] of Object.entries(stack.template.Outputs ?? {})) {
          if (output.Export !== undefined) {
            const exportName = String(resolveValue(output.Export.Name, this.#scope(stack, id)));
            this.#exports.set(exportName, { stack, value: output.Value });
          }
        }
      }
    }
    const found = this.#exports.get(name);
    if (found === undefined) {
      throw new TwinError('EXPORT_UNKNOWN', `${where} imports ${name}, which no stack exports`);
    }
    return resolveValue(found.value, this.#scope(found.stack, name));
  }
}

/** `tenantml-local-api/Predict/Resource` → `Predict`; without a CDK path, the logical id. */
function labelOf(logicalId: string, metadata: Record<string, unknown>): string {
  const path = metadata['aws:cdk:path'];
  if (typeof path !== 'string') {
    return logicalId;
  }
  const parts = path.split('/');
  const last = parts.at(-1);
  return (last === 'Resource' || last === 'Default' ? parts.at(-2) : last) ?? logicalId;
}
