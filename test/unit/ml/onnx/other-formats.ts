/** Files of other formats, by their first bytes. */
import type { HostileFile } from './hostile-sketch.ts';
import { field, text } from './wire-format.ts';

const latin1 = (value: string) => Uint8Array.from(value, (letter) => letter.charCodeAt(0));
const padded = (...head: readonly number[]) => Uint8Array.from([...head, ...new Array<number>(200).fill(7)]);

export const otherFormats: readonly HostileFile[] = [
  ['nothing', 'MODEL_FORMAT_UNKNOWN', new Uint8Array()],
  ...[2, 3, 4, 5].map(
    (protocol): HostileFile => [
      `a pickle of protocol ${protocol}`,
      'MODEL_PICKLED',
      padded(0x80, protocol, 0x95),
    ],
  ),
  ['a pickle of protocol 0', 'MODEL_PICKLED', latin1("cos\nsystem\n(S'echo hi'\ntR.")],
  ['a pickle of protocol 0 of a list', 'MODEL_PICKLED', latin1('(lp0\nI1\na.')],
  [
    'a pickle of protocol 1 by copy_reg',
    'MODEL_PICKLED',
    latin1('ccopy_reg\n_reconstructor\n(csklearn.tree\nX\n.'),
  ],
  ['a joblib file', 'MODEL_PICKLED', latin1('\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x15joblib.numpy_pickle')],
  ['a joblib file compressed by zlib', 'MODEL_PICKLED', padded(0x78, 0x9c)],
  ['a joblib file compressed by gzip', 'MODEL_FORMAT_NOT_SUPPORTED', padded(0x1f, 0x8b, 8)],
  ['a joblib file compressed by bz2', 'MODEL_FORMAT_NOT_SUPPORTED', latin1('BZh91AY&SY')],
  ['a joblib file compressed by xz', 'MODEL_FORMAT_NOT_SUPPORTED', padded(0xfd, 0x37, 0x7a, 0x58, 0x5a)],
  ['a joblib file compressed by lz4', 'MODEL_FORMAT_NOT_SUPPORTED', padded(0x04, 0x22, 0x4d, 0x18)],
  ['a file of torch.save', 'MODEL_PICKLED', latin1('PK\x03\x04........archive/data.pkl....archive/data/0')],
  [
    'a file of the old torch.save',
    'MODEL_PICKLED',
    padded(0x80, 2, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e),
  ],
  [
    'TorchScript',
    'MODEL_FORMAT_NOT_SUPPORTED',
    latin1('PK\x03\x04....m/data.pkl....m/code/__torch__.py....m/constants.pkl'),
  ],
  ['a Keras archive', 'MODEL_FORMAT_NOT_SUPPORTED', latin1('PK\x03\x04..config.json..model.weights.h5')],
  ['an ONNX file in a zip', 'MODEL_FORMAT_NOT_SUPPORTED', latin1('PK\x03\x04......model.onnx')],
  ['a NumPy archive', 'MODEL_FORMAT_NOT_SUPPORTED', latin1('PK\x03\x04......arr_0.npy')],
  ['a NumPy array', 'MODEL_FORMAT_NOT_SUPPORTED', latin1('\x93NUMPY\x01\0')],
  ['an HDF5 file', 'MODEL_FORMAT_NOT_SUPPORTED', padded(0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a)],
  [
    'an HDF5 file behind a user block',
    'MODEL_FORMAT_NOT_SUPPORTED',
    Uint8Array.from([...new Array<number>(512).fill(0), 0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]),
  ],
  [
    'a SavedModel',
    'MODEL_FORMAT_NOT_SUPPORTED',
    Uint8Array.from([...field(1, 0, [1]), ...field(2, 2, text('serving_default'))]),
  ],
  ['a TensorFlow Lite file', 'MODEL_FORMAT_NOT_SUPPORTED', latin1('\x1c\0\0\0TFL3........')],
  ['GGUF', 'MODEL_FORMAT_NOT_SUPPORTED', latin1('GGUF\x03\0\0\0')],
  [
    'safetensors',
    'MODEL_FORMAT_NOT_SUPPORTED',
    latin1('\x1e\0\0\0\0\0\0\0{"w":{"dtype":"F32","shape":[1]}}'),
  ],
  ['a LightGBM text', 'MODEL_FORMAT_NOT_SUPPORTED', latin1('tree\nversion=v4\n')],
  ['an XGBoost text', 'MODEL_FORMAT_NOT_SUPPORTED', latin1('{"learner":{"attributes":{}}}')],
  ['PMML', 'MODEL_FORMAT_NOT_SUPPORTED', latin1('<?xml version="1.0"?><PMML/>')],
  ['a JSON text', 'MODEL_FORMAT_NOT_SUPPORTED', latin1('[{"a": 1}]')],
  ['a shell script', 'MODEL_FORMAT_UNKNOWN', latin1('#!/bin/sh\nrm -rf /\n')],
  ['an ELF program', 'MODEL_FORMAT_UNKNOWN', latin1('\x7fELF\x02\x01\x01')],
  ['zeros', 'MODEL_FORMAT_UNKNOWN', new Uint8Array(1_000)],
];
