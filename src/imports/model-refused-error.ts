import type { ImportRefusal } from '../contracts/imported.ts';
import { MLFrameworkError } from '../errors.ts';

/** A file is not taken: why, and what to do about it. */
export class ModelRefusedError extends MLFrameworkError {
  readonly refusal: ImportRefusal;

  constructor(refusal: ImportRefusal) {
    super(refusal.code, `${refusal.reason}; ${refusal.remedy}`);
    this.refusal = refusal;
  }
}
