/** From scores to named tensors: those of the model's graph. */
import type { ImportedSignature } from '../../../contracts/imported.ts';
import type { ClassLabel, ModelManifest } from '../../../contracts/models.ts';
import type { ServingResponse } from '../../http/serving-message.ts';
import { labelOf, type Scored } from '../../served-model.ts';
import { writeElements } from './datatype.ts';
import { type InferRequest, MalformedInferError } from './infer-request.ts';

/** What a tensor is, in the model's metadata; -1 stands for the rows of a request. */
export interface TensorMetadata {
  readonly name: string;
  readonly datatype: 'BOOL' | 'INT64' | 'FP32' | 'FP64' | 'BYTES';
  readonly shape: readonly number[];
}

const inputDatatype = { number: 'FP32', boolean: 'BOOL', date: 'INT64', category: 'BYTES' } as const;

/** Of graphs that were brought, by ONNX's names of element types. */
const graphDatatype: Readonly<Record<string, TensorMetadata['datatype']>> = {
  float: 'FP32',
  double: 'FP64',
  int64: 'INT64',
  int32: 'INT64',
  bool: 'BOOL',
  string: 'BYTES',
};

/** Those of the graph, where it was brought; else one a feature. */
export const inputsOf = ({ features, imported }: ModelManifest): TensorMetadata[] =>
  imported === undefined
    ? features.map(({ name, type }) => ({ name, datatype: inputDatatype[type], shape: [-1, 1] }))
    : imported.inputs.map(({ name, element_type, shape }) => ({
        ...{ name, shape },
        datatype: graphDatatype[element_type] ?? 'FP32',
      }));

export const outputsOf = (manifest: ModelManifest): TensorMetadata[] =>
  rolesOf(manifest).map(({ output }) => output);

interface OutputRole {
  readonly role: 'label' | 'probabilities' | 'prediction';
  readonly output: TensorMetadata;
}

function rolesOf({ classes, imported }: ModelManifest): OutputRole[] {
  if (imported !== undefined) return importedRoles(imported, classes);
  if (classes === undefined)
    return [{ role: 'prediction', output: { name: 'prediction', datatype: 'FP32', shape: [-1, 1] } }];
  return [
    { role: 'label', output: { name: 'label', datatype: labelDatatype(classes), shape: [-1] } },
    {
      role: 'probabilities',
      output: { name: 'probabilities', datatype: 'FP32', shape: [-1, classes.length] },
    },
  ];
}

/** The graph's own tensors; of a classifier without one for the label, `label` is beside them. */
function importedRoles(
  { label, probabilities, prediction, outputs }: ImportedSignature,
  classes: readonly ClassLabel[] | undefined,
): OutputRole[] {
  const shapeOf = (name: string) => outputs.find((output) => output.name === name)!.shape;
  if (prediction !== undefined)
    return [
      {
        role: 'prediction',
        output: { name: prediction, datatype: 'FP32', shape: shapeOf(prediction) },
      },
    ];
  const own = outputs.find(({ name }) => name === label);
  const datatype =
    classes === undefined ? (graphDatatype[own?.element_type ?? ''] ?? 'BYTES') : labelDatatype(classes);
  const roles: OutputRole[] = [
    { role: 'label', output: { name: label ?? 'label', datatype, shape: own?.shape ?? [-1] } },
  ];
  if (probabilities !== undefined)
    roles.push({
      role: 'probabilities',
      output: { name: probabilities, datatype: 'FP32', shape: shapeOf(probabilities) },
    });
  return roles;
}

function labelDatatype(classes: readonly ClassLabel[]): TensorMetadata['datatype'] {
  if (classes.every((label) => typeof label === 'boolean')) return 'BOOL';
  if (classes.every((label) => typeof label === 'number'))
    return classes.every(Number.isSafeInteger) ? 'INT64' : 'FP64';
  return 'BYTES';
}

/** @throws {MalformedInferError} when an output is asked for that the model has not */
export function wantedOutputs(manifest: ModelManifest, request: InferRequest) {
  const all = rolesOf(manifest);
  if (request.outputs === undefined) return all.map((one) => ({ ...one, binary: request.binaryOutput }));
  return request.outputs.map(({ name, binary }, i) => {
    const found = all.find(({ output }) => output.name === name);
    if (found === undefined) {
      throw new MalformedInferError(
        `outputs/${i}/name`,
        `the model has no output ${JSON.stringify(name.slice(0, 100))}; it gives ${all.map(({ output }) => output.name).join(', ')}`,
      );
    }
    return { ...found, binary };
  });
}

function dataOf(
  { role, output: { datatype } }: OutputRole,
  { manifest, output, ids }: Scored,
): ArrayLike<unknown> {
  if (role === 'prediction') return output.values!;
  if (role === 'probabilities') return output.probabilities!;
  const labels = ids.map((_, row) => labelOf(output, manifest.classes, row));
  return datatype === 'BYTES' ? labels.map(String) : labels;
}

export function inferResponse(request: InferRequest, scored: Scored): ServingResponse {
  const nRows = scored.ids.length;
  const binaries: Buffer[] = [];
  const outputs = wantedOutputs(scored.manifest, request).map(({ role, output, binary }) => {
    const data = dataOf({ role, output }, scored);
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
