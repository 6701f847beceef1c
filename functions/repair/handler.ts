import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { DynamoDbPromotionIntents } from '../../src/adapters/aws/dynamodb-promotion-intents.ts';
import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { systemClock } from '../../src/clock.ts';
import { dynamodb } from '../../src/composition/stores.ts';
import { config } from '../../src/config.ts';

/** Longer than a promotion takes, whose function has 29 seconds. */
const overAfterMs = 30_000;

const intents = new DynamoDbPromotionIntents(dynamodb(), config.intentsTable, systemClock);
const lambda = new LambdaClient({ maxAttempts: 3 });

/**
 * Looks at DynamoDB only, so that Postgres stays asleep; wakes the relay when an intent was left behind. One that may be
 * of a promotion under way is taken up too: what died a second ago is mended in this minute, not in the next.
 */
export const handler = stepFunction<object, { repairs: number }>(async () => {
  const waiting = await intents.waiting();
  for (const { reference: intent, ageMs } of waiting) {
    await lambda.send(
      new InvokeCommand({
        FunctionName: config.relayFunctionName,
        InvocationType: 'Event',
        Payload: JSON.stringify({ intent, isOver: ageMs > overAfterMs }),
      }),
    );
  }
  return { repairs: waiting.length };
});
