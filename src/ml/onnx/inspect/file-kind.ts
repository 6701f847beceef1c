/** Recognises files that are no ONNX by their first bytes, and says for each how to get an ONNX file out of it. */
import { type Refusal, type RefusalCode, Refused } from './refusal.ts';

const SCIKIT_LEARN =
  'in Python: from skl2onnx import to_onnx; open("model.onnx", "wb").write(to_onnx(model, X[:1], options={"zipmap": False}).SerializeToString()); for XGBoost and LightGBM: onnxmltools.convert_xgboost or convert_lightgbm';
const TORCH =
  'in Python: torch.onnx.export(model, (example,), "model.onnx", input_names=["input"], output_names=["output"], dynamic_axes={"input": {0: "N"}, "output": {0: "N"}}, external_data=False)';
const TENSORFLOW =
  'python -m tf2onnx.convert --saved-model FOLDER --output model.onnx (for a Keras file: --keras FILE)';
const COMPRESSED = `upload the file itself, not an archive of it; and if it is a joblib file: ${SCIKIT_LEARN}`;

/** Where texts that tell formats apart are looked for. */
const HEAD_BYTES = 1 << 16;

/** Every opcode that a pickle of protocol 0 or 1 can begin with and that a model's has. */
const TEXT_PICKLE =
  /^(?:c[A-Za-z_][\w.]*\n[A-Za-z_][\w.]*\n|\((?:lp|dp|i[A-Za-z_][\w.]*\n|c[A-Za-z_][\w.]*\n|S'|V)|ccopy_reg\n)/;

/** What torch.save wrote before it wrote zip files: a pickled number of ten bytes. */
const TORCH_LEGACY = [0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

/** @returns undefined for what may be ONNX */
export function refuseKnownFormat(bytes: Uint8Array): Refusal | undefined {
  if (bytes.length === 0) return refusal('MODEL_FORMAT_UNKNOWN', 'the file is empty', 'upload an ONNX file');
  const head = new TextDecoder('latin1').decode(bytes.subarray(0, HEAD_BYTES));
  const begins = (...magic: readonly number[]) => magic.every((byte, i) => bytes[i] === byte);
  if (begins(0x80) && bytes[1]! >= 2 && bytes[1]! <= 5) return pickle(bytes, head);
  if (TEXT_PICKLE.test(head)) return pickle(bytes, head);
  if (head.startsWith('PK\x03\x04') || head.startsWith('PK\x05\x06')) return archive(bytes);
  if (isHdf5(bytes)) return notSupported('an HDF5 file, as Keras and pandas write it', TENSORFLOW);
  if (head.startsWith('GGUF') || head.startsWith('GGML') || head.startsWith('ggjt'))
    return notSupported('a GGUF file of a language model', 'classical models are served here, as ONNX');
  if (isSafetensors(bytes)) return notSupported('a safetensors file: weights without a graph', TORCH);
  if (head.slice(4, 8) === 'TFL3') return notSupported('a TensorFlow Lite file', TENSORFLOW);
  if (isSavedModel(bytes, head)) return notSupported('a TensorFlow SavedModel', TENSORFLOW);
  if (begins(0x1f, 0x8b) || head.startsWith('BZh') || begins(0xfd, 0x37, 0x7a, 0x58, 0x5a))
    return notSupported('a compressed file', COMPRESSED);
  if (begins(0x28, 0xb5, 0x2f, 0xfd) || begins(0x04, 0x22, 0x4d, 0x18))
    return notSupported('a compressed file', COMPRESSED);
  if (begins(0x78) && [0x01, 0x5e, 0x9c, 0xda].includes(bytes[1]!))
    return refusal('MODEL_PICKLED', 'the file is compressed by zlib, as joblib does it', SCIKIT_LEARN);
  if (begins(0x93) && head.startsWith('NUMPY', 1)) return notSupported('a NumPy array', SCIKIT_LEARN);
  if (/^tree\r?\nversion=/.test(head)) return notSupported('a LightGBM text file', SCIKIT_LEARN);
  if (/^\s*\{\s*"(?:learner|version)"/.test(head) || /^\{[Ll]/.test(head))
    return notSupported('an XGBoost file', SCIKIT_LEARN);
  if (/^\s*(?:<\?xml|<PMML|<!DOCTYPE|<html)/i.test(head))
    return notSupported('a text in XML or HTML', SCIKIT_LEARN);
  if (/^\s*[[{]\s*["{[\d-]/.test(head)) return notSupported('a JSON text', SCIKIT_LEARN);
  return undefined;
}

function pickle(bytes: Uint8Array, head: string): Refusal {
  if (TORCH_LEGACY.every((byte, i) => bytes[2 + i] === byte))
    return refusal('MODEL_PICKLED', 'the file was written by torch.save, which pickles', TORCH);
  const isJoblib = head.includes('joblib') || head.includes('numpy_pickle');
  const of = isJoblib ? 'a joblib file, which is a pickle' : 'a pickle';
  const remedy = head.includes('torch') ? TORCH : SCIKIT_LEARN;
  return refusal('MODEL_PICKLED', `the file is ${of}; loading one runs whatever code is in it`, remedy);
}

/** Names of a zip file's members are in its clear, at the front and in the directory at the end. */
function archive(bytes: Uint8Array): Refusal {
  const latin1 = new TextDecoder('latin1');
  const names = latin1.decode(bytes.subarray(0, HEAD_BYTES)) + latin1.decode(bytes.subarray(-HEAD_BYTES));
  const has = (...texts: readonly string[]) => texts.some((text) => names.includes(text));
  if (has('constants.pkl') || (has('/code/') && has('data.pkl')))
    return refusal('MODEL_FORMAT_NOT_SUPPORTED', 'the file is TorchScript, by torch.jit.save', TORCH);
  if (has('data.pkl'))
    return refusal('MODEL_PICKLED', 'the file was written by torch.save, which pickles', TORCH);
  if (has('model.weights.h5', 'saved_model.pb', 'keras_metadata.pb'))
    return notSupported('a Keras or TensorFlow archive', TENSORFLOW);
  if (has('.skops', 'schema.json')) return notSupported('a skops archive', SCIKIT_LEARN);
  if (has('.onnx'))
    return notSupported('a zip archive with an ONNX file in it', 'upload the ONNX file itself');
  if (has('.npy')) return notSupported('an archive of NumPy arrays', SCIKIT_LEARN);
  return notSupported('a zip archive', COMPRESSED);
}

const HDF5 = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** The signature stands at 0, or behind a user block of 512 bytes times a power of two. */
function isHdf5(bytes: Uint8Array): boolean {
  for (let at = 0; at <= 8192 && at < bytes.length; at = at === 0 ? 512 : at * 2)
    if (HDF5.every((byte, i) => bytes[at + i] === byte)) return true;
  return false;
}

/** The length of a JSON header as 8 bytes, then the header. */
function isSafetensors(bytes: Uint8Array): boolean {
  if (bytes.length < 10 || bytes[8] !== 0x7b) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return view.getUint32(4, true) === 0 && view.getUint32(0, true) <= bytes.length - 8;
}

/** Protobuf as ONNX is, beginning with version 1; the names of its signatures tell it apart. */
function isSavedModel(bytes: Uint8Array, head: string): boolean {
  const isVersion1 = bytes[0] === 0x08 && bytes[1] === 0x01 && bytes[2] === 0x12;
  return isVersion1 && /\bserv(?:e|ing_default)\b|StatefulPartitionedCall|VarHandleOp|Placeholder/.test(head);
}

function notSupported(what: string, remedy: string): Refusal {
  return refusal('MODEL_FORMAT_NOT_SUPPORTED', `the file is ${what}, not ONNX`, remedy);
}

function refusal(code: RefusalCode, reason: string, remedy: string): Refusal {
  return new Refused(code, reason, remedy).refusal;
}

/** For what is neither ONNX nor anything that is known. */
export const HOW_TO_EXPORT = `${SCIKIT_LEARN}; for PyTorch: ${TORCH}; for TensorFlow: ${TENSORFLOW}`;
