import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TwinError } from '../errors.ts';

/** One resource as CloudFormation would read it: unresolved. */
export interface TemplateResource {
  readonly Type: string;
  readonly Properties?: Record<string, unknown>;
  readonly Condition?: string;
  readonly Metadata?: Record<string, unknown>;
  readonly DependsOn?: string | readonly string[];
}

export interface CloudFormationTemplate {
  readonly Resources?: Record<string, TemplateResource>;
  readonly Parameters?: Record<string, { readonly Type: string; readonly Default?: unknown }>;
  readonly Conditions?: Record<string, unknown>;
  readonly Mappings?: Record<string, Record<string, Record<string, unknown>>>;
  readonly Outputs?: Record<
    string,
    { readonly Value: unknown; readonly Export?: { readonly Name: unknown } }
  >;
}

export interface Stack {
  readonly name: string;
  readonly template: CloudFormationTemplate;
  /** Folder that `aws:asset:path` metadata is relative to. */
  readonly assemblyDirectory: string;
}

interface Artifact {
  readonly type: string;
  readonly displayName?: string;
  readonly properties?: {
    readonly templateFile?: string;
    readonly stackName?: string;
    readonly directoryName?: string;
  };
}

/** Reads every stack of a synthesized app (`cdk.out`), those of nested assemblies (CDK stages) too. */
export async function loadCloudAssembly(directory: string): Promise<Stack[]> {
  let manifest: { artifacts?: Record<string, Artifact> };
  try {
    manifest = JSON.parse(await readFile(join(directory, 'manifest.json'), 'utf8'));
  } catch (cause) {
    throw new TwinError(
      'CLOUD_ASSEMBLY_UNREADABLE',
      `no readable manifest.json in ${directory}; run the synth first`,
      {
        cause,
      },
    );
  }
  const stacks: Stack[] = [];
  for (const [id, artifact] of Object.entries(manifest.artifacts ?? {})) {
    if (artifact.type === 'aws:cloudformation:stack' && artifact.properties?.templateFile) {
      const text = await readFile(join(directory, artifact.properties.templateFile), 'utf8');
      stacks.push({
        name: artifact.properties.stackName ?? id,
        template: JSON.parse(text) as CloudFormationTemplate,
        assemblyDirectory: directory,
      });
    } else if (artifact.type === 'cdk:cloud-assembly' && artifact.properties?.directoryName) {
      stacks.push(...(await loadCloudAssembly(join(directory, artifact.properties.directoryName))));
    }
  }
  if (stacks.length === 0) {
    throw new TwinError('CLOUD_ASSEMBLY_EMPTY', `${directory} holds no stack`);
  }
  return stacks;
}
