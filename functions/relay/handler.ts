import {
  type IntentReference,
  intentReferenceText,
} from '../../src/adapters/aws/dynamodb-promotion-intents.ts';
import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { controlPlane } from '../../src/composition/control-plane.ts';
import { TenantContext } from '../../src/tenancy/tenant-context.ts';

const { intents, promotion } = controlPlane();

/** Ends a promotion that was left between its transaction and its pointer. */
export const handler = stepFunction<{ intent: IntentReference; isOver: boolean }, { repaired: boolean }>(
  async ({ intent, isOver }, context) => {
    const open = await intents.read(intent);
    if (open === undefined) return { repaired: false };
    const tenant = await TenantContext.fromJob(intents, intentReferenceText(intent), context.awsRequestId);
    await promotion.repair(tenant, open.modelName, open.intentId, { isOver });
    return { repaired: true };
  },
);
