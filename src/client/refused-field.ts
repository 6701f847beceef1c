import { z } from 'zod';

/** A field that others have, and that is refused here with the reason, rather than as unknown. */
export const refusedField = (reason: string) =>
  z.custom<undefined>((value) => value === undefined, reason).optional();
