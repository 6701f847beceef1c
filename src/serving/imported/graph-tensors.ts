/** From rows to the tensors that an imported graph takes, and from what it gives to predictions. */
import type { ImportedSignature } from '../../contracts/imported.ts';
import type { FeatureBatch, FeatureValues } from '../feature-batch.ts';
import type { GraphOutput } from '../model-executor.ts';

export type TensorType = 'float32' | 'float64' | 'int64' | 'int32' | 'bool' | 'string';
type TensorData = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array | string[];

export interface GraphTensor {
  readonly type: TensorType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** A graph in memory. */
export interface RunnableGraph {
  run(
    inputs: Readonly<Record<string, GraphTensor>>,
    outputs: readonly string[],
  ): Promise<Readonly<Record<string, GraphTensor>>>;
  release(): Promise<void>;
}

/** Runs whatever graph it is given. */
export interface GraphRuntime {
  load(bytes: Uint8Array): Promise<RunnableGraph>;
}

/** Element types that rows can become, by their names in ONNX. */
export const tensorTypes: Readonly<Record<string, TensorType>> = {
  float: 'float32',
  double: 'float64',
  int64: 'int64',
  int32: 'int32',
  bool: 'bool',
  string: 'string',
};

/** A value that the type of its tensor cannot hold. */
export class TensorValueError extends Error {}

/** The graph gave something else than its signature says. */
export class GraphOutputError extends Error {}

const emptyData = (type: TensorType, n: number): TensorData =>
  ({
    float32: () => new Float32Array(n),
    float64: () => new Float64Array(n),
    int64: () => new BigInt64Array(n),
    int32: () => new Int32Array(n),
    bool: () => new Uint8Array(n),
    string: () => new Array<string>(n).fill(''),
  })[type]();

const widthOf = (shape: readonly number[]): number => shape.slice(1).reduce((product, n) => product * n, 1);

/** Inputs take the features in order, each as many as it is wide. @throws {TensorValueError} */
export function tensorsOf(
  { inputs }: Pick<ImportedSignature, 'inputs'>,
  { nRows, features }: FeatureBatch,
): Record<string, GraphTensor> {
  let next = 0;
  const tensors = inputs.map(({ name, element_type, shape }) => {
    const type = tensorTypes[element_type]!;
    const width = widthOf(shape);
    const data = emptyData(type, nRows * width);
    for (let column = 0; column < width; column++, next++) {
      const values = features[next]!;
      for (let row = 0; row < nRows; row++) put(data, row * width + column, type, values, row);
    }
    return [name, { type, dims: [nRows, ...shape.slice(1)], data }] as const;
  });
  return Object.fromEntries(tensors);
}

function put(data: TensorData, at: number, type: TensorType, values: FeatureValues, row: number): void {
  if (type === 'string') {
    (data as string[])[at] = String(values.data[row]);
    return;
  }
  const value = Number(values.data[row]);
  if (type === 'float32' || type === 'float64') {
    (data as Float64Array)[at] = value;
    return;
  }
  if (!Number.isInteger(value) || (type === 'int32' && Math.abs(value) > 2 ** 31 - 1)) {
    const shown = Number.isNaN(value) ? 'missing' : String(value);
    throw new TensorValueError(`row ${row} holds ${shown} where the graph takes ${type}; send whole numbers`);
  }
  if (type === 'int64') (data as BigInt64Array)[at] = BigInt(value);
  else (data as Int32Array)[at] = value;
}

/** Names of the outputs that predictions are made of. */
export const wantedOutputs = ({ label, probabilities, prediction }: ImportedSignature): string[] =>
  [label, probabilities, prediction].filter((name) => name !== undefined);

/** @throws {GraphOutputError} */
export function outputOf(
  signature: ImportedSignature,
  tensors: Readonly<Record<string, GraphTensor>>,
  nRows: number,
): GraphOutput {
  const { label, probabilities, prediction } = signature;
  const tensor = (name: string, width?: number): GraphTensor => {
    const found = tensors[name];
    const rows = found?.dims[0];
    const columns = found?.dims.slice(1).reduce((product, n) => product * n, 1);
    if (found === undefined || rows !== nRows || (width !== undefined && columns !== width))
      throw new GraphOutputError(
        `output "${name}" has the shape [${found?.dims}] for ${nRows} ${nRows === 1 ? 'row' : 'rows'}`,
      );
    return found;
  };
  const floats = ({ data }: GraphTensor) =>
    data instanceof Float32Array ? data : Float32Array.from(data as Float64Array);
  return {
    ...(prediction === undefined ? {} : { values: floats(tensor(prediction, 1)) }),
    ...(probabilities === undefined ? {} : { probabilities: floats(tensor(probabilities)) }),
    ...(label === undefined ? {} : { labels: labelsOf(tensor(label, 1)) }),
  };
}

function labelsOf({ type, data }: GraphTensor): (string | number | boolean)[] {
  if (type === 'string') return [...(data as string[])];
  if (type === 'bool') return Array.from(data as Uint8Array, (value) => value !== 0);
  return Array.from(data as ArrayLike<number | bigint>, Number);
}
