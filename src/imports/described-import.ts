/** From what an inspection found and what the caller says of a file to what a version is. */
import type { ImportInspection } from '../contracts/imported.ts';
import type { ClassLabel, FeatureSpec } from '../contracts/models.ts';
import type { InspectedValue, Inspection } from '../ml/onnx/inspect/inspection.ts';
import { tensorTypes } from '../serving/imported/graph-tensors.ts';
import type { ImportWork } from './import-work.ts';
import { ModelRefusedError } from './model-refused-error.ts';

const notSupported = (reason: string, remedy: string) =>
  new ModelRefusedError({ code: 'ONNX_SIGNATURE_NOT_SUPPORTED', reason, remedy });
const mismatch = (reason: string, remedy: string) =>
  new ModelRefusedError({ code: 'IMPORT_REQUEST_MISMATCH', reason, remedy });

const widthOf = ({ shape }: InspectedValue): number => shape.slice(1).reduce((product, n) => product * n, 1);

/** @throws {ModelRefusedError} when the two do not fit, or the graph is none of the forms that are served */
export function describedImport(
  found: Inspection,
  request: ImportWork,
): Pick<ImportInspection, 'task' | 'features' | 'classes' | 'signature'> & { features: FeatureSpec[] } {
  const { signature } = found;
  for (const { name, elementType } of [...found.inputs, ...roles(found)])
    if (!Object.hasOwn(tensorTypes, elementType))
      throw notSupported(
        `"${name}" holds ${elementType}, and ${Object.keys(tensorTypes).join(', ')} are served`,
        'cast it inside the graph, or export with FloatTensorType',
      );
  const task = taskOf(found, request);
  const { label, probabilities, prediction } = outputsFor(found, task);
  const classes = task === 'classification' ? classesOf(found, request, probabilities) : undefined;
  if (task === 'regression' && request.classes !== undefined)
    throw mismatch('classes were given for a regression', 'leave classes out');
  return {
    task,
    features: featuresOf(found, request),
    ...(classes === undefined ? {} : { classes }),
    signature: {
      inputs: found.inputs.map(tensor),
      outputs: found.outputs.map(tensor),
      rows: signature.rows,
      ...(label === undefined ? {} : { label }),
      ...(probabilities === undefined ? {} : { probabilities }),
      ...(prediction === undefined ? {} : { prediction }),
      ...(signature.classes === undefined ? {} : { graph_classes: [...signature.classes] }),
      resident_bytes: found.residentBytes,
      bytes_per_row: found.bytesPerRow,
      // Found out by the self-test.
      accepts_missing: false,
    },
  };
}

const tensor = ({ name, elementType, shape }: InspectedValue) => ({
  ...{ name, element_type: elementType },
  shape: [...shape],
});

function roles({ outputs, signature: { label, probabilities, prediction } }: Inspection): InspectedValue[] {
  return outputs.filter(({ name }) => [label, probabilities, prediction].includes(name));
}

function taskOf({ signature }: Inspection, { task }: ImportWork): 'classification' | 'regression' {
  // An output that is no float is a label, whatever it is called.
  const found = signature.task ?? 'classification';
  if (task === undefined || task === found) return found;
  throw mismatch(
    `the graph gives ${found === 'regression' ? `one number a row, "${signature.prediction}"` : 'labels or probabilities'}, which is no ${task}`,
    task === 'classification'
      ? 'export with the outputs "label" and "probabilities", or with a softmax over the classes; or leave task out'
      : 'export one float output "prediction" of shape [N, 1]; or leave task out',
  );
}

function outputsFor(found: Inspection, task: 'classification' | 'regression') {
  const { label, probabilities, prediction } = found.signature;
  const widths = new Map(found.outputs.map((output) => [output.name, widthOf(output)]));
  const single = [label, prediction].filter((name) => name !== undefined);
  for (const name of single)
    if (widths.get(name) !== 1)
      throw notSupported(
        `output "${name}" holds ${widths.get(name)} values a row, and one is served`,
        'export one output of shape [N] or [N, 1] for each model',
      );
  return task === 'classification' && prediction !== undefined
    ? { label: prediction, probabilities: undefined, prediction: undefined }
    : { label, probabilities, prediction };
}

function classesOf(
  found: Inspection,
  { classes: given }: ImportWork,
  probabilities: string | undefined,
): ClassLabel[] | undefined {
  const own = found.signature.classes;
  const output = found.outputs.find(({ name }) => name === probabilities);
  const nClasses = output === undefined ? own?.length : widthOf(output);
  if (given !== undefined) {
    if (new Set(given).size < given.length)
      throw mismatch('two of the classes are the same', 'give each class a label of its own');
    if (nClasses !== undefined && given.length !== nClasses)
      throw mismatch(
        `${given.length} classes were given, and the graph has ${nClasses}`,
        'give one label for each column of the probabilities, in their order',
      );
    return [...given];
  }
  if (own !== undefined) return [...own];
  return output === undefined ? undefined : Array.from({ length: widthOf(output) }, (_, k) => k);
}

function featuresOf({ inputs, signature }: Inspection, request: ImportWork): FeatureSpec[] {
  const { nFeatures } = signature;
  for (const list of ['feature_names', 'feature_types'] as const) {
    const given = request[list];
    if (given !== undefined && given.length !== nFeatures)
      throw mismatch(
        `${list} has ${given.length} entries, and the graph takes ${nFeatures} features`,
        `give one for each feature, in the order of the inputs ${inputs
          .map(({ name, shape }) => `"${name}" [${shape}]`)
          .slice(0, 20)
          .join(', ')}`,
      );
  }
  const features: FeatureSpec[] = [];
  for (const input of inputs) {
    const width = widthOf(input);
    const type = tensorTypes[input.elementType]!;
    for (let column = 0; column < width; column++) {
      const own = type === 'string' ? 'category' : type === 'bool' ? 'boolean' : 'number';
      const asked = request.feature_types?.[features.length] ?? own;
      if ((asked === 'category') !== (own === 'category'))
        throw mismatch(
          `feature ${features.length} is ${asked}, and its input "${input.name}" holds ${input.elementType}`,
          'give category for texts, number or boolean for numbers',
        );
      const numbered = inputs.length === 1 ? `x${column}` : `${input.name}_${column}`;
      features.push({
        name:
          request.feature_names?.[features.length] ??
          (width === 1 && inputs.length > 1 ? input.name : numbered),
        type: asked,
        input: width === 1 ? input.name : `${input.name}[${column}]`,
      });
    }
  }
  const names = new Set(features.map(({ name }) => name));
  if (names.size < features.length)
    throw mismatch('two features have the same name', 'give each feature a name of its own in feature_names');
  return features;
}
