import { OnnxruntimeGraphs } from '../../src/adapters/onnxruntime/onnxruntime-graphs.ts';
import { systemClock as clock } from '../../src/clock.ts';
import { config } from '../../src/config.ts';
import { cacheBudgetBytes } from '../../src/serving/cache/cache-budget.ts';
import { ImportedFunction, type ResidentGraph } from '../../src/serving/imported/imported-function.ts';
import type { ImportedAnswer, ImportedCall } from '../../src/serving/imported/imported-message.ts';
import { ModelCache } from '../../src/serving/model-cache.ts';
import { TenantContext } from '../../src/tenancy/tenant-context.ts';

const imported = new ImportedFunction({
  runtime: new OnnxruntimeGraphs(),
  // The role of this function may read nothing: each call brings a link to the one file that it needs.
  fetch: async (url) => {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
    if (!response.ok) throw new Error(`the file of the graph could not be read: ${response.status}`);
    return new Uint8Array(await response.arrayBuffer());
  },
  cache: new ModelCache<ResidentGraph>(
    { budgetBytes: cacheBudgetBytes(config.functionMemoryMiB), maxModels: 20 },
    clock,
  ),
  residentBytes: process.memoryUsage.rss,
  clock,
});

/** Lambda gives an environment to one tenant and says which: https://docs.aws.amazon.com/lambda/latest/dg/tenant-isolation-context.html */
export const handler = (
  call: ImportedCall,
  { tenantId, awsRequestId }: { readonly tenantId?: string; readonly awsRequestId: string },
): Promise<ImportedAnswer> => {
  const claims = {
    ...(tenantId === undefined ? {} : { tenant: tenantId }),
    ...{ role: 'service', subject: 'imported', expires_at: Number.POSITIVE_INFINITY },
  };
  return imported.answer(TenantContext.fromClaims(claims, awsRequestId, clock.nowMs()), call);
};
