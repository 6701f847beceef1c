/**
 * One class per failure, each with a stable `code`, the evidence as fields, and a message that states
 * rule, value and remedy. The HTTP status of a code is decided in `src/contracts/problem-status.ts`, not here.
 */

/** What a field-level violation looks like, in `errors[]` of a problem document. */
export interface FieldError {
  /** JSON pointer into the request body, or the name of a parameter. */
  readonly pointer: string;
  readonly detail: string;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  readonly errors?: readonly FieldError[];
  /** Facts of the failure, safe to show to the caller: no secrets, nothing of other tenants. */
  readonly evidence?: Readonly<Record<string, unknown>>;
}

/** Base of every failure that TenantML raises on purpose. */
export class MLFrameworkError extends Error {
  readonly code: string;
  readonly errors: readonly FieldError[];
  readonly evidence: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.name = new.target.name;
    this.errors = options.errors ?? [];
    this.evidence = options.evidence ?? {};
  }

  /** The code, by the name that the source documents have for it. */
  get errorType(): string {
    return this.code;
  }
}

/** A value from outside breaks a stated rule. */
export class ValidationError extends MLFrameworkError {
  constructor(message: string, options: ErrorOptions & { code?: string } = {}) {
    super(options.code ?? 'VALIDATION_FAILED', message, options);
  }
}

/** The data cannot be trained on, or a fit did not succeed. The code says which rule. */
export class TrainingError extends MLFrameworkError {
  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(code, message, options);
  }
}

/** A prediction could not be computed. */
export class PredictionError extends MLFrameworkError {
  constructor(code: string, message: string, options: ErrorOptions = {}) {
    super(code, message, options);
  }
}

/** What should be a model cannot be made one: damaged, cut short, or of an unknown format. */
export class ModelLoadError extends MLFrameworkError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('MODEL_LOAD_FAILED', message, options);
  }
}

/** A model cannot be written in the form that was asked for. */
export class ModelSaveError extends MLFrameworkError {
  constructor(message: string, options: ErrorOptions = {}) {
    super('MODEL_SAVE_FAILED', message, options);
  }
}

/** The name that the source documents use for it. */
export { TrainingError as MLTrainingError };
