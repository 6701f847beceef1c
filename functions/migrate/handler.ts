import { join } from 'node:path';
import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { ensurePredictionIdKey } from '../../src/adapters/aws/prediction-id-key.ts';
import { migrate } from '../../src/adapters/postgres/migrate.ts';
import { systemClock } from '../../src/clock.ts';
import { signingKeys, signingKms } from '../../src/composition/signatures.ts';
import { dynamodb } from '../../src/composition/stores.ts';
import { config } from '../../src/config.ts';

/** A new cluster may take minutes to answer; the function has five. */
const resumeWithinMs = 240_000;

export const handler = stepFunction<object, { applied: string[] }>(async () => {
  await ensurePredictionIdKey(dynamodb().own, config.servingTable);
  // Predictions verify with it, and never ask KMS.
  await signingKeys().publish(await signingKms().publicKey());
  const applied = await migrate(config.database, {
    folder: join(config.taskRoot, 'migrations'),
    clock: systemClock,
    resumeWithinMs,
  });
  return { applied };
});
