/** Which output means what, by the names that exporters give and by the nodes that make them. */
import type { OnnxGraph, OnnxNode } from '../read/onnx-model.ts';
import { tensorNumbers } from '../read/tensor-numbers.ts';
import { classLabelsOf } from './infer-classical.ts';
import type { InspectedValue, ModelSignature } from './inspection.ts';
import { Refused } from './refusal.ts';

/** skl2onnx, onnxmltools for XGBoost and LightGBM, and ours. */
const labelNames = ['label', 'output_label', 'class', 'predicted_label'];
const probabilityNames = [
  'probabilities',
  'output_probability',
  'probability',
  'probability_tensor',
  'scores',
];
/** skl2onnx and onnxmltools, PyTorch, and ours. */
const predictionNames = ['variable', 'prediction', 'output', 'output_0', 'y', 'predictions'];

/** Nodes that hand on what they get, as far as labels are concerned. */
const handsOn = new Set(['Cast', 'Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten']);
const MOST_STEPS_BACK = 16;

export function signatureOf(
  graph: OnnxGraph,
  inputs: readonly InspectedValue[],
  outputs: readonly InspectedValue[],
): ModelSignature {
  const maker = new Map(graph.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  const isFloat = ({ elementType }: InspectedValue) => elementType === 'float' || elementType === 'double';
  const isMatrix = ({ shape }: InspectedValue) => shape.length === 2 && shape[1]! >= 2;
  const named = (names: readonly string[], fits: (output: InspectedValue) => boolean) =>
    names.map((name) => outputs.find((output) => output.name === name && fits(output))).find(Boolean);
  const made = (index: number) =>
    outputs.find(({ name }) => {
      const node = origin(name, maker);
      return node !== undefined && classLabelsOf(node) !== undefined && node.outputs[index] !== undefined
        ? node.outputs[index] === originName(name, maker)
        : false;
    });
  const label = named(labelNames, (output) => !isFloat(output)) ?? made(0);
  const probabilities =
    named(probabilityNames, (one) => isFloat(one) && isMatrix(one)) ?? made(1) ?? softmaxOf(outputs, maker);
  const others = outputs.filter((output) => output !== label && output !== probabilities);
  const prediction =
    label !== undefined || probabilities !== undefined
      ? undefined
      : (named(predictionNames, isFloat) ?? (others.length === 1 ? others[0] : undefined));
  if (label === undefined && probabilities === undefined && prediction === undefined)
    throw new Refused(
      'ONNX_SIGNATURE_NOT_SUPPORTED',
      `which of the outputs ${outputs.map(({ name }) => `"${name}"`).join(', ')} is the prediction cannot be told`,
      'name the output "prediction" for a regression, "label" and "probabilities" for a classification',
    );
  const width = probabilities?.shape[1];
  const classes = classesOf(graph, label?.name, maker);
  return {
    ...rowsOf(inputs),
    label: label?.name,
    probabilities: probabilities?.name,
    prediction: prediction?.name,
    task: prediction === undefined ? 'classification' : isFloat(prediction) ? 'regression' : undefined,
    classes: width !== undefined && classes?.length !== width ? undefined : classes,
  };
}

function rowsOf(inputs: readonly InspectedValue[]): Pick<ModelSignature, 'rows' | 'nFeatures'> {
  const widths = inputs.map(({ shape }) => shape.slice(1).reduce((product, size) => product * size, 1));
  const nFeatures = widths.reduce((sum, width) => sum + width, 0);
  const [first] = inputs;
  // Alone, a column of one feature is a matrix of one column as well.
  if (inputs.length === 1 && first!.shape.length === 2) return { rows: 'matrix', nFeatures };
  const isColumn = ({ shape }: InspectedValue) =>
    shape.length === 1 || (shape.length === 2 && shape[1] === 1);
  return { rows: inputs.every(isColumn) ? 'columns' : 'tensors', nFeatures };
}

type Makers = ReadonlyMap<string, OnnxNode>;

/** The name that an output has before it was cast and reshaped. */
function originName(name: string, maker: Makers): string {
  let at = name;
  for (let step = 0; step < MOST_STEPS_BACK; step++) {
    const node = maker.get(at);
    if (node === undefined || !handsOn.has(node.opType)) return at;
    at = node.inputs[0] ?? '';
  }
  return at;
}

function origin(name: string, maker: Makers): OnnxNode | undefined {
  return maker.get(originName(name, maker));
}

function softmaxOf(outputs: readonly InspectedValue[], maker: Makers): InspectedValue | undefined {
  return outputs.find(({ name, shape }) => origin(name, maker)?.opType === 'Softmax' && shape.length === 2);
}

/** From a classifier, or from the table that an index of the best class is looked up in. */
function classesOf(
  { nodes, initializers }: OnnxGraph,
  label: string | undefined,
  maker: Makers,
): readonly (string | number)[] | undefined {
  const node = label === undefined ? undefined : origin(label, maker);
  const own = node === undefined ? undefined : classLabelsOf(node);
  if (own !== undefined) return own;
  if (node?.opType === 'ArrayFeatureExtractor' || node?.opType === 'Gather') {
    const table = initializers.find(({ name }) => name === node.inputs[0]);
    if (table === undefined) return undefined;
    return table.strings.length > 0 ? table.strings.toArray() : Array.from(tensorNumbers(table));
  }
  const lists = nodes.map(classLabelsOf).filter((list) => list !== undefined);
  const [first] = lists;
  return lists.every((list) => JSON.stringify(list) === JSON.stringify(first)) ? first : undefined;
}
