import { z } from 'zod';

/** Which part of a list is asked for. */
export const Page = z.object({
  limit: z.coerce.number().int().min(1).max(100).default(50).describe('Items a page'),
  cursor: z.string().max(1_000).optional().describe('`next_cursor` of the page before'),
});
