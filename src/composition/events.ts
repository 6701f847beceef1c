import { EventBridgePublisher } from '../adapters/aws/eventbridge-publisher.ts';
import { logger } from '../adapters/aws/lambda/observability.ts';
import { systemClock } from '../clock.ts';
import { config } from '../config.ts';

export const eventPublisher = () =>
  new EventBridgePublisher(config.eventBusName, systemClock, (error) =>
    logger.warn('an event could not be published', error as Error),
  );
