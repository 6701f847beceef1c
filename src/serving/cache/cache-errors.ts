import { MLFrameworkError } from '../../errors.ts';

const mebibytes = (bytes: number): number => Math.ceil(bytes / (1024 * 1024));

/** A model that could not be held even alone. */
export class ModelTooLargeError extends MLFrameworkError {
  /** @param holder - whose bound it is: the cache as a whole, or what one tenant may take of it */
  constructor(neededBytes: number, budgetBytes: number, holder: 'cache' | 'tenant' = 'cache') {
    const remedy =
      holder === 'cache'
        ? "raise the predict function's memory or train with fewer or smaller trees"
        : 'raise max_memory_mb or train with fewer or smaller trees';
    super(
      'MODEL_TOO_LARGE',
      `the model needs ${mebibytes(neededBytes)} MiB but the ${holder === 'cache' ? 'cache holds' : 'tenant may take'} ${mebibytes(budgetBytes)} MiB; ${remedy}`,
      { evidence: { needed_bytes: neededBytes, budget_bytes: budgetBytes } },
    );
  }
}

/** The model would fit, but not now: what is held is in use, and stayed so for as long as the caller could wait. */
export class CacheBusyError extends MLFrameworkError {
  constructor(neededBytes: number, budgetBytes: number) {
    super(
      'CACHE_BUSY',
      `the model needs ${mebibytes(neededBytes)} MiB and every model that could make room is in use; try again after a second`,
      { evidence: { needed_bytes: neededBytes, budget_bytes: budgetBytes, retry_after_seconds: 1 } },
    );
  }
}
