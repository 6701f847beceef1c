import { stepFunction } from '../../src/adapters/aws/lambda/step-function.ts';
import { operatorFor, tenantOperations } from '../../src/composition/tenant-operations.ts';
import { parseWith } from '../../src/contracts/parse-with.ts';
import { TenantOperation } from '../../src/contracts/tenant-operations.ts';

const operations = tenantOperations();
/** For the step of a store that is under way, and for what is kept of it. */
const spareMs = 320_000;

/** Onboards and offboards tenants: for operators, who may invoke it; no route leads here. */
export const handler = stepFunction<TenantOperation, object>(async (event, context) => {
  const operation = parseWith(TenantOperation, event, 'body');
  const tenant = operatorFor(operation.tenant, context.awsRequestId);
  if (operation.action === 'create') return operations.create(tenant, operation);
  if (operation.action === 'agree') return operations.agree(tenant, operation);
  return operations.offboard(tenant, () => context.getRemainingTimeInMillis() > spareMs);
});
