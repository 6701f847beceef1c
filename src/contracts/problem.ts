import { z } from 'zod';

/** An error answer: RFC 9457 with TenantML's stable `code`. */
export const Problem = z
  .object({
    type: z.string().describe('A page about the code'),
    title: z.string(),
    status: z.int().min(400).max(599),
    detail: z.string(),
    instance: z.string().describe('The path that was asked'),
    code: z.string().describe('Stable, UPPER_SNAKE'),
    request_id: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;
