import { ModelLoadError } from '../../../errors.ts';

/** The bytes are no ONNX model, or one that was cut short or written wrongly. */
export class ModelDamagedError extends ModelLoadError {
  constructor(reason: string) {
    super(`the file cannot be read as an ONNX model: ${reason}; export it again`, { evidence: { reason } });
  }
}
