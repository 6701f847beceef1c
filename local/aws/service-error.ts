/** An error that a local AWS server answers with, in its protocol's form. */
export class AwsServiceError extends Error {
  readonly code: string;
  readonly status: number;
  /** Further members of the error structure. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, status = 400, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.details = details;
  }
}
