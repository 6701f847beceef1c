/** From scores to named tensors: those of the model's graph. */
import type { ClassLabel, ModelManifest } from '../../../contracts/models.ts';
import type { ServingResponse } from '../../http/serving-message.ts';
import { bestClass, type Scored } from '../../served-model.ts';
import { writeElements } from './datatype.ts';
import { type InferRequest, MalformedInferError } from './infer-request.ts';

/** What a tensor is, in the model's metadata; -1 stands for the rows of a request. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: 'BOOL' | 'INT64' | 'FP32' | 'FP64' | 'BYTES';
  readonly shape: readonly number[];
}

const inputDatatype = { number: 'FP32', boolean: 'BOOL', date: 'INT64', category: 'BYTES' } as const;

export const inputsOf = ({ features }: ModelManifest): TensorMetadata[] =>
  features.map(({ name, type }) => ({ name, datatype: inputDatatype[type], shape: [-1, 1] }));

export function outputsOf({ classes }: ModelManifest): TensorMetadata[] {
  if (classes === undefined) return [{ name: 'prediction', datatype: 'FP32', shape: [-1, 1] }];
  return [
    { name: 'label', datatype: labelDatatype(classes), shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, classes.length] },
  ];
}

function labelDatatype(classes: readonly ClassLabel[]): TensorMetadata['datatype'] {
  if (classes.every((label) => typeof label === 'boolean')) return 'BOOL';
  if (classes.every((label) => typeof label === 'number'))
    return classes.every(Number.isSafeInteger) ? 'INT64' : 'FP64';
  return 'BYTES';
}

/** @throws {MalformedInferError} when an output is asked for that the model has not */
export function wantedOutputs(manifest: ModelManifest, request: InferRequest) {
  const all = outputsOf(manifest);
  if (request.outputs === undefined) return all.map((output) => ({ output, binary: request.binaryOutput }));
  return request.outputs.map(({ name, binary }, i) => {
    const output = all.find((one) => one.name === name);
    if (output === undefined) {
      throw new MalformedInferError(
        `outputs/${i}/name`,
        `the model has no output ${JSON.stringify(name.slice(0, 100))}; it gives ${all.map((one) => one.name).join(', ')}`,
      );
    }
    return { output, binary };
  });
}

function dataOf({ name, datatype }: TensorMetadata, { manifest, output, ids }: Scored): ArrayLike<unknown> {
  if (name === 'prediction') return output.values!;
  if (name === 'probabilities') return output.probabilities!;
  const classes = manifest.classes!;
  const labels = ids.map((_, row) => classes[bestClass(output.probabilities!, row, classes.length)]!);
  return datatype === 'BYTES' ? labels.map(String) : labels;
}

export function inferResponse(request: InferRequest, scored: Scored): ServingResponse {
  const nRows = scored.ids.length;
  const binaries: Buffer[] = [];
  const outputs = wantedOutputs(scored.manifest, request).map(({ output, binary }) => {
    const data = dataOf(output, scored);
    const about = {
      name: output.name,
      shape: output.shape.map((n) => (n < 0 ? nRows : n)),
      datatype: output.datatype,
    };
    if (!binary) return { ...about, data: Array.from(data) };
    const bytes = writeElements(output.datatype, data);
    binaries.push(bytes);
    return { ...about, parameters: { binary_data_size: bytes.length } };
  });
  const head = JSON.stringify({
    model_name: scored.model,
    model_version: scored.version,
    ...(request.id === undefined ? {} : { id: request.id }),
    ...(nRows === 1 ? { parameters: { prediction_id: scored.ids[0] } } : {}),
    outputs,
  });
  if (binaries.length === 0)
    return { status: 200, headers: { 'content-type': 'application/json' }, body: head };
  const headBytes = Buffer.from(head);
  return {
    status: 200,
    headers: {
      'content-type': 'application/octet-stream',
      'inference-header-content-length': String(headBytes.length),
    },
    body: Buffer.concat([headBytes, ...binaries]),
  };
}
