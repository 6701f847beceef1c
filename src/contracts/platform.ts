import { z } from 'zod';

export const Health = z
  .object({
    status: z.enum(['healthy', 'unhealthy']),
    checks: z.record(
      z.string(),
      z.object({ status: z.enum(['healthy', 'unhealthy']), latency_ms: z.number() }),
    ),
    request_id: z.string(),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;
