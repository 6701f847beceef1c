import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { config } from '../../../config.ts';

/** One logger for a function; its service name and level come from the environment that the deployment sets. */
export const logger = new Logger();

/** Dimensions are stage and outcome only: figures per tenant or model come from rollups, not from CloudWatch. */
export const metrics = new Metrics({ defaultDimensions: { stage: config.stage } });

export { MetricUnit };
