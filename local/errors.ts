/** A failure of the twin itself: it cannot start, or was asked for something that it does not run. */
export class TwinError extends Error {
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'TwinError';
    this.code = code;
  }
}
