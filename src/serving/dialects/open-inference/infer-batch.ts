/** From named tensors to the batch that a graph takes. */
import type { FeatureSpec, ModelManifest } from '../../../contracts/models.ts';
import { emptyBatch, type FeatureBatch, type FeatureValues, missingInt64 } from '../../feature-batch.ts';
import { kindOf, listOf, maxRows, putValue, tooManyRows } from '../../input-rows.ts';
import type { Datatype } from './datatype.ts';
import { type InferRequest, type InputTensor, MalformedInferError } from './infer-request.ts';

/**
 * One tensor of shape [N] or [N, 1] a feature, by the feature's name; or a single one of shape [N, nFeatures], whose
 * columns are the features in order. A feature without a tensor is missing, and so are NaN, null and empty text.
 * @throws {MalformedInferError}
 */
export function batchOfTensors(manifest: ModelManifest, { inputs }: InferRequest): FeatureBatch {
  const { features } = manifest;
  const nRows = inputs[0]!.shape[0]!;
  if (nRows === 0) throw new MalformedInferError('inputs/0/shape', 'has no rows; send at least one');
  if (nRows > maxRows) throw tooManyRows('inputs', nRows);
  const batch = emptyBatch(features, nRows);
  const [first] = inputs;
  const isMatrix =
    inputs.length === 1 && first!.shape.length === 2 && (first!.shape[1] !== 1 || features.length === 1);
  if (isMatrix) {
    const nColumns = first!.shape[1]!;
    if (nColumns !== features.length) {
      throw new MalformedInferError(
        'inputs/0/shape',
        `[${first!.shape}] has ${nColumns} columns; the model takes ${features.length}: ${listOf(features)}`,
      );
    }
    for (const [j, feature] of features.entries())
      putColumn(batch.features[j]!, feature, first!, 'inputs/0', j, nColumns);
    return batch;
  }
  inputs.forEach((tensor, i) => {
    const at = `inputs/${i}`;
    const wide = wideInput(manifest, tensor.name);
    if (wide !== undefined && tensor.shape.length === 2 && tensor.shape[1] === wide.width) {
      if (tensor.shape[0] !== nRows)
        throw new MalformedInferError(
          `${at}/shape`,
          `is [${tensor.shape}]; it must be [${nRows}, ${wide.width}]`,
        );
      for (let k = 0; k < wide.width; k++)
        putColumn(batch.features[wide.first + k]!, features[wide.first + k]!, tensor, at, k, wide.width);
      return;
    }
    let j = features.findIndex(({ name }) => name === tensor.name);
    if (j < 0) j = features.findIndex(({ input }) => input === tensor.name);
    if (j < 0) {
      throw new MalformedInferError(
        `${at}/name`,
        `the model has no input ${JSON.stringify(tensor.name.slice(0, 100))}; it takes ${listOf(features)}`,
      );
    }
    const isColumn = tensor.shape.slice(1).every((size) => size === 1) && tensor.shape.length <= 2;
    if (!isColumn || tensor.shape[0] !== nRows)
      throw new MalformedInferError(
        `${at}/shape`,
        `is [${tensor.shape}]; it must be [${nRows}, 1] or [${nRows}]`,
      );
    putColumn(batch.features[j]!, features[j]!, tensor, at, 0, 1);
  });
  return batch;
}

/** An input of an imported graph that holds several features: where they begin, and how many they are. */
function wideInput({ imported }: ModelManifest, name: string): { first: number; width: number } | undefined {
  let first = 0;
  for (const input of imported?.inputs ?? []) {
    const width = input.shape.slice(1).reduce((product, size) => product * size, 1);
    if (input.name === name) return width > 1 ? { first, width } : undefined;
    first += width;
  }
  return undefined;
}

function putColumn(
  values: FeatureValues,
  feature: FeatureSpec,
  { data, datatype }: InputTensor,
  at: string,
  column: number,
  nColumns: number,
): void {
  const nRows = values.data.length;
  for (let row = 0; row < nRows; row++) {
    const sent = data[row * nColumns + column];
    const value =
      datatype === 'BOOL' || typeof sent !== 'boolean' ? plain(sent, datatype, values) : Number(sent);
    const expected =
      typeof value === 'number' && values.kind !== 'string' && datatype === 'BYTES'
        ? 'text in a tensor of BYTES'
        : putValue(values, row, value, feature);
    if (expected !== undefined) {
      throw new MalformedInferError(
        `${at}/data`,
        `element ${row * nColumns + column}: ${feature.name} must be ${expected}, got ${kindOf(sent)}`,
      );
    }
  }
}

/**
 * NaN and the smallest int64 are how graphs spell missing. A 64-bit integer is a number where it is rounded to float32
 * anyway, and stays exact where it is a category.
 */
function plain(value: unknown, datatype: Datatype, { kind }: FeatureValues): unknown {
  if (typeof value === 'bigint') {
    if (value === missingInt64) return null;
    const number = Number(value);
    return kind === 'float32' || Number.isSafeInteger(number) ? number : value;
  }
  if (typeof value !== 'number') return value;
  return Number.isNaN(value) || (value === -(2 ** 63) && datatype === 'INT64') ? null : value;
}
