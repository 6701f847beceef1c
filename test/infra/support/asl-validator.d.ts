declare module 'asl-validator' {
  /** Checks a state machine definition, into which it writes defaults. */
  export default function validate(definition: unknown): {
    readonly isValid: boolean;
    errorsText(separator?: string): string;
  };
}
