import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDbPromotionIntents } from '../../src/adapters/aws/dynamodb-promotion-intents.ts';
import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { systemClock } from '../../src/clock.ts';
import { dynamodb } from '../../src/composition/stores.ts';
import { config } from '../../src/config.ts';

/** Longer than a promotion takes that is still under way. */
const overdueAfterMs = 30_000;

const intents = new DynamoDbPromotionIntents(dynamodb(), config.intentsTable, systemClock);
const lambda = new LambdaClient({ maxAttempts: 3 });

/** Looks at DynamoDB only, so that Postgres stays asleep; wakes the relay when an intent was left behind. */
export const handler = stepFunction<object, { repairs: number }>(async () => {
  const overdue = await intents.overdue(overdueAfterMs);
  for (const intent of overdue) {
    await lambda.send(
      new InvokeCommand({
        FunctionName: config.relayFunctionName,
        InvocationType: 'Event',
        Payload: JSON.stringify({ intent }),
      }),
    );
  }
  return { repairs: overdue.length };
});
