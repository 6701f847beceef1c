import { StepFunctionsExecutions } from '../adapters/aws/step-functions-executions.ts';
import { config } from '../config.ts';

export const trainingExecutions = () => new StepFunctionsExecutions(config.trainingStateMachineArn);

export const batchExecutions = () => new StepFunctionsExecutions(config.batchStateMachineArn);

export const importExecutions = () => new StepFunctionsExecutions(config.importStateMachineArn);

export const ingestExecutions = () => new StepFunctionsExecutions(config.ingestStateMachineArn);
