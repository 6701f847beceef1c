/** Why a file that somebody brought is not taken: a stable code, the reason, and what to do about it. */

export type RefusalCode =
  /** Nothing that is known. */
  | 'MODEL_FORMAT_UNKNOWN'
  /** A pickle, in whatever wrapping: loading one runs its code. */
  | 'MODEL_PICKLED'
  /** A format of models that is known and not taken. */
  | 'MODEL_FORMAT_NOT_SUPPORTED'
  /** Cut short, or written wrongly. */
  | 'ONNX_DAMAGED'
  /** Well-formed, and no graph: cycles, names that nobody makes, shapes and types that do not fit. */
  | 'ONNX_GRAPH_INVALID'
  /** More than is taken, of anything. */
  | 'ONNX_TOO_LARGE'
  /** A version of the format or of its operators that the runtime does not have. */
  | 'ONNX_VERSION_NOT_SUPPORTED'
  /** An operator, domain or attribute that is not on the list. */
  | 'ONNX_OPERATOR_NOT_ALLOWED'
  /** Weights outside of the file. */
  | 'ONNX_EXTERNAL_DATA'
  /** How large a tensor becomes is decided by the rows themselves. */
  | 'ONNX_SHAPE_FROM_DATA'
  /** Inputs or outputs that rows cannot become, or that cannot become predictions. */
  | 'ONNX_SIGNATURE_NOT_SUPPORTED';

export interface Refusal {
  readonly kind: 'refused';
  readonly code: RefusalCode;
  readonly reason: string;
  readonly remedy: string;
}

/** Carries a refusal out of the middle of an inspection. */
export class Refused extends Error {
  readonly refusal: Refusal;

  constructor(code: RefusalCode, reason: string, remedy = 'export the model again') {
    super(reason);
    this.refusal = { kind: 'refused', code, reason, remedy };
  }
}

export function tooLarge(what: string, actual: number, most: number, unit: string): Refused {
  return new Refused(
    'ONNX_TOO_LARGE',
    `${what} has ${actual} ${unit}, and at most ${most} are taken`,
    'export a smaller model: fewer or shallower trees, fewer categories, smaller layers',
  );
}

export function notAllowed(reason: string, remedy: string): Refused {
  return new Refused('ONNX_OPERATOR_NOT_ALLOWED', reason, remedy);
}
