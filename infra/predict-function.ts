import type { Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type * as lambda from 'aws-cdk-lib/aws-lambda';
import { acknowledge, flatten } from './constructs/acknowledgement.ts';
import type { ModelLayers } from './constructs/model-layers.ts';
import { type FunctionContext, PlatformFunction, unsignedModels } from './constructs/platform-function.ts';
import { SESSION_TENANT } from './constructs/tenant-role.ts';
import type { DataStack } from './data-stack.ts';
import type { TrainingStack } from './training-stack.ts';

export interface PredictFunctionProps {
  readonly platform: FunctionContext;
  readonly data: DataStack;
  readonly training: TrainingStack;
  readonly layers: ModelLayers;
}

/** The function that answers predictions, with what it may read and write. */
export function predictFunction(
  stack: Stack,
  { platform, data, training, layers }: PredictFunctionProps,
): lambda.Function {
  const { artifactBucket, predictionBucket, stagingBucket, servingTable, transientTable, jobsTable } = data;
  const predict = new PlatformFunction(stack, 'Predict', {
    platform,
    code: 'predict',
    description: 'Answers predictions',
    memoryMiB: 1769,
    timeoutSeconds: 20,
    layers: [layers.onnxruntime],
    environment: {
      // Models come and go: V8's young generation would grow to its largest, 100 MiB that no model could have.
      NODE_OPTIONS: '--max-semi-space-size=8',
      ARTIFACT_BUCKET: artifactBucket.bucketName,
      PREDICTION_BUCKET: predictionBucket.bucketName,
      SERVING_TABLE: servingTable.tableName,
      ML_MODEL_CACHE_SIZE: '100',
      TRANSIENT_TABLE: transientTable.tableName,
      TENANT_PLANS: JSON.stringify(platform.settings.plans),
      JOBS_TABLE: jobsTable.tableName,
      STAGING_BUCKET: stagingBucket.bucketName,
      BATCH_STATE_MACHINE_ARN: training.batchMachine.arn,
      IMPORTED_FUNCTION_NAME: training.predictImported.functionName,
      ...unsignedModels(platform.settings),
    },
  });
  const { role, tenantRole } = predict;
  artifactBucket.grantTenantRead(tenantRole, 'models/');
  artifactBucket.grantTenantList(tenantRole);
  predictionBucket.grantObjects(tenantRole, 'predictions/', ['get', 'put']);
  predictionBucket.grantTenantList(tenantRole);
  servingTable.grantTenantItems(tenantRole, ['GetItem']);
  servingTable.grantItems(role, ['platform/*'], ['GetItem']);
  transientTable.grantTenantItems(tenantRole, ['GetItem', 'PutItem', 'UpdateItem']);
  grantInvokeEndpoints(stack, tenantRole.role);
  // A call that does not want to wait becomes a job: its rows, its item, its run.
  stagingBucket.grantObjects(tenantRole, 'batch/', ['put']);
  jobsTable.grantTenantItems(tenantRole, ['PutItem']);
  jobsTable.grantItems(role, ['job/*'], ['UpdateItem']);
  training.batchMachine.machine.grantStartExecution(role);
  training.predictImported.grantInvokeLatestVersion(role);
  return predict.function;
}

/** Endpoints of SageMaker whose names the tenant context makes: `tenantml--<tenant>--<name>`. */
function grantInvokeEndpoints(stack: Stack, role: iam.Role): void {
  const { partition, region, account } = stack;
  const endpoints = `arn:${partition}:sagemaker:${region}:${account}:endpoint/tenantml--${SESSION_TENANT}--*`;
  role.addToPolicy(
    new iam.PolicyStatement({ actions: ['sagemaker:InvokeEndpoint'], resources: [endpoints] }),
  );
  acknowledge(
    role,
    `AwsSolutions-IAM5[Resource::${flatten(stack.resolve(endpoints))}]`,
    "The tenant is the session's own, by its tag; the wildcard stands for the names that it gives its endpoints.",
  );
}
