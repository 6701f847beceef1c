import { existsSync } from 'node:fs';
import path from 'node:path';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';

/** A layer that has not been built yet. */
export class MissingLayerError extends Error {
  readonly code = 'MISSING_LAYER';
  constructor(folder: string) {
    super(`${folder} does not exist; run \`npm run build:layers\``);
    this.name = 'MissingLayerError';
  }
}

export interface ModelLayersProps {
  /** The root of the project. */
  readonly root: string;
}

/**
 * The native libraries of the platform. Each stack has its own layer versions over the same assets: a layer version
 * that is exported to another stack could never be replaced.
 */
export class ModelLayers extends Construct {
  readonly onnxruntime: lambda.LayerVersion;
  readonly duckdb: lambda.LayerVersion;

  constructor(scope: Construct, id: string, props: ModelLayersProps) {
    super(scope, id);
    this.onnxruntime = this.layer('Onnxruntime', props.root, 'onnxruntime', 'ONNX Runtime for Node.js');
    this.duckdb = this.layer('Duckdb', props.root, 'duckdb', 'DuckDB for Node.js');
  }

  private layer(id: string, root: string, name: string, description: string): lambda.LayerVersion {
    const folder = path.join(root, 'layers', name, 'build');
    if (!existsSync(folder)) throw new MissingLayerError(path.join('layers', name, 'build'));
    return new lambda.LayerVersion(this, id, {
      description,
      code: lambda.Code.fromAsset(folder),
      compatibleRuntimes: [lambda.Runtime.NODEJS_24_X],
      compatibleArchitectures: [lambda.Architecture.ARM_64],
    });
  }
}
