import { z } from 'zod';

export const ClassLabel = z.union([z.string(), z.number(), z.boolean()]);
export type ClassLabel = z.infer<typeof ClassLabel>;
