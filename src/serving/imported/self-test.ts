/** Tries a graph before anybody relies on it: rows of nothing in particular, alone and together. */
import type { ImportedSignature } from '../../contracts/imported.ts';
import type { FeatureBatch, FeatureValues } from '../feature-batch.ts';
import type { GraphOutput } from '../model-executor.ts';
import {
  outputOf,
  type RunnableGraph,
  type TensorType,
  tensorsOf,
  tensorTypes,
  wantedOutputs,
} from './graph-tensors.ts';

/** How far a row alone may be from the same row among others: float32 sums in another order stay within it. */
const relativeTolerance = 1e-5;
const absoluteTolerance = 1e-6;

/** The graph does not do what its signature says. */
export class SelfTestError extends Error {}

const takesNoMissing: ReadonlySet<TensorType> = new Set(['int64', 'int32', 'bool']);

/** @returns for each feature the type of the tensor that it goes into */
function featureTypes({ inputs }: ImportedSignature): TensorType[] {
  return inputs.flatMap(({ element_type, shape }) => {
    const width = shape.slice(1).reduce((product, n) => product * n, 1);
    return new Array<TensorType>(width).fill(tensorTypes[element_type]!);
  });
}

function rowsOf(
  types: readonly TensorType[],
  numbers: readonly number[],
  texts: readonly string[],
): FeatureBatch {
  return {
    nRows: numbers.length,
    features: types.map(
      (type): FeatureValues =>
        type === 'string'
          ? { input: '', kind: 'string', data: [...texts] }
          : { input: '', kind: 'float32', data: Float32Array.from(numbers) },
    ),
  };
}

/** @throws {SelfTestError} */
export async function selfTest(
  graph: RunnableGraph,
  signature: ImportedSignature,
): Promise<{ readonly nRows: number; readonly acceptsMissing: boolean }> {
  const types = featureTypes(signature);
  const run = async (batch: FeatureBatch): Promise<GraphOutput> => {
    const outputs = await graph.run(tensorsOf(signature, batch), wantedOutputs(signature));
    return outputOf(signature, outputs, batch.nRows);
  };
  const [numbers, texts] = [
    [0, 1, 2],
    ['', 'a', 'b'],
  ];
  const together = await run(rowsOf(types, numbers, texts));
  if (!isAllFinite(together))
    throw new SelfTestError('rows of 0, 1 and 2 give predictions that are not finite');
  for (let row = 0; row < numbers.length; row++) {
    const alone = await run(rowsOf(types, [numbers[row]!], [texts[row]!]));
    if (!isSame(alone, together, row, numbers.length))
      throw new SelfTestError(
        `row ${row} alone gives another prediction than among ${numbers.length} rows: a row must not depend on others`,
      );
  }
  const takesMissing = !types.some((type) => takesNoMissing.has(type));
  const missing = takesMissing
    ? await run(rowsOf(types, [Number.NaN], [''])).catch(() => undefined)
    : undefined;
  return { nRows: numbers.length, acceptsMissing: missing !== undefined && isAllFinite(missing) };
}

const isAllFinite = ({ values, probabilities, labels }: GraphOutput): boolean =>
  [...(values ?? []), ...(probabilities ?? [])].every(Number.isFinite) &&
  (labels ?? []).every((label) => typeof label !== 'number' || Number.isFinite(label));

function isSame(alone: GraphOutput, together: GraphOutput, row: number, nRows: number): boolean {
  const near = (a: Float32Array | undefined, b: Float32Array | undefined) => {
    if (a === undefined || b === undefined) return a === b;
    const width = b.length / nRows;
    return a.every((value, k) => {
      const other = b[row * width + k]!;
      return Math.abs(value - other) <= absoluteTolerance + relativeTolerance * Math.abs(other);
    });
  };
  return (
    near(alone.values, together.values) &&
    near(alone.probabilities, together.probabilities) &&
    alone.labels?.[0] === together.labels?.[row]
  );
}
