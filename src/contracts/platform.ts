import { z } from 'zod';
import { Timestamp } from './names.ts';

const HealthCheck = z.object({
  status: z
    .enum(['healthy', 'unhealthy', 'unknown'])
    .describe('unknown: nobody has asked it, or not since it was away'),
  latency_ms: z.number().optional().describe('Of what was asked just now'),
  checked_at: Timestamp.optional().describe('When it was asked last, where that was not now'),
  code: z.string().optional().describe('Why it is unhealthy'),
});

export const Health = z
  .object({
    status: z.enum(['healthy', 'unhealthy']).describe('unhealthy when one of the checks is'),
    checks: z
      .record(z.string(), HealthCheck)
      .describe(
        'serving (what predictions read), store (artifacts and data), cache (of answers, and limits), queue (of jobs), and ' +
          'database (the registry, as it was when it was last used)',
      ),
    request_id: z.string(),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;

export const DatabaseHealth = z
  .object({ status: z.literal('healthy'), latency_ms: z.number(), request_id: z.string() })
  .meta({ id: 'DatabaseHealth' });
