/** Shapes and types of the allowed operators of ai.onnx.ml. */
import { Refused } from './refusal.ts';
import { constantDim, type Dim, elementsOf, invalid, type Shape } from './shape.ts';
import { requireSoundTrees } from './tree-structure.ts';
import { type Infer, type NodeView, Type, type ValueFacts } from './value-facts.ts';

/** Rows and columns; a vector is one row, as these operators take it. */
function rowsOf(view: NodeView): { rows: Dim; columns: Dim } {
  const { shape, elementType } = view.input(0);
  if (elementType === Type.string || elementType === Type.bool) throw invalid(view.where, 'it takes numbers');
  if (shape.length === 2) return { rows: shape[0]!, columns: shape[1]! };
  if (shape.length === 1) return { rows: constantDim(1), columns: shape[0]! };
  throw invalid(view.where, 'it takes rows and columns');
}

const sameShape: Infer = (view) => {
  const { elementType, shape } = view.input(0);
  if (elementType === Type.string) throw invalid(view.where, 'it takes numbers');
  return [{ elementType, shape }];
};

const toFloats: Infer = (view) => [{ elementType: Type.float, shape: sameShape(view)[0]!.shape }];

/** The lists of a node must be as long as each other: a runtime indexes one by another. */
function requireEqualLengths(view: NodeView, prefix: string): number {
  const lists = view.node.attributes.filter(
    ({ name }) => name.startsWith(prefix) && !name.endsWith('_as_tensor'),
  );
  const lengths = lists
    .map((one) => Math.max(one.ints.length, one.floats.length, one.strings.length))
    .filter((length) => length > 0);
  if (new Set(lengths).size > 1) throw invalid(view.where, `its lists ${prefix}… differ in length`);
  return lengths[0] ?? 0;
}

/** Feature numbers of trees and the like must be those of columns. */
function requireFeatures(view: NodeView, name: string, columns: Dim): void {
  const ids = view.attribute(name)?.ints;
  if (ids === undefined) return;
  for (let i = 0; i < ids.length; i++)
    if (!(ids[i]! >= 0 && (columns.power > 0 || ids[i]! < columns.size)))
      throw invalid(view.where, `${name} names column ${ids[i]} of ${columns.size}`);
}

/** Parameters of columns are one for all of them, or one for each. */
function requireColumnLists(view: NodeView, names: readonly string[]): void {
  const columns = view.shape(0).at(-1);
  for (const name of names) {
    const one = view.attribute(name);
    const length = Math.max(one?.floats.length ?? 0, one?.ints.length ?? 0);
    if (length > 1 && (columns === undefined || columns.power > 0 || columns.size !== length))
      throw invalid(view.where, `${name} has ${length} elements for ${columns?.size} columns`);
  }
}

const scaler: Infer = (view) => {
  requireColumnLists(view, ['offset', 'scale']);
  return toFloats(view);
};

const imputer: Infer = (view) => {
  requireColumnLists(view, ['imputed_value_floats', 'imputed_value_int64s']);
  return sameShape(view);
};

function requireTargets(view: NodeView, name: string, count: number): void {
  const ids = view.attribute(name)?.ints;
  if (ids === undefined) return;
  for (let i = 0; i < ids.length; i++)
    if (!(ids[i]! >= 0 && ids[i]! < count)) throw invalid(view.where, `${name} names ${ids[i]} of ${count}`);
}

/** Class labels, by the attributes that hold them. */
export function classLabelsOf(node: NodeView['node']): readonly (string | number)[] | undefined {
  for (const { name, strings, ints } of node.attributes) {
    if (name === 'classlabels_strings' && strings.length > 0) return strings.toArray();
    if ((name === 'classlabels_int64s' || name === 'classlabels_ints') && ints.length > 0)
      return Array.from(ints);
  }
  return undefined;
}

function classifierOutputs(view: NodeView, rows: Dim): ValueFacts[] {
  const labels = classLabelsOf(view.node);
  if (labels === undefined) throw invalid(view.where, 'it has no class labels');
  return [
    { elementType: typeof labels[0] === 'string' ? Type.string : Type.int64, shape: [rows] },
    // One label alone is written for two classes by some exporters.
    { elementType: Type.float, shape: [rows, constantDim(Math.max(2, labels.length))] },
  ];
}

function requireTrees(view: NodeView, entries: 'class_' | 'target_', columns: Dim): void {
  if (requireEqualLengths(view, 'nodes_') === 0) throw invalid(view.where, 'it has no trees');
  requireEqualLengths(view, entries);
  requireFeatures(view, 'nodes_featureids', columns);
  requireSoundTrees(view, entries);
}

const treeClassifier: Infer = (view) => {
  const { rows, columns } = rowsOf(view);
  requireTrees(view, 'class_', columns);
  requireTargets(view, 'class_ids', classLabelsOf(view.node)?.length ?? 0);
  return classifierOutputs(view, rows);
};

const treeRegressor: Infer = (view) => {
  const { rows, columns } = rowsOf(view);
  requireTrees(view, 'target_', columns);
  const nTargets = view.int('n_targets', 1);
  if (!(nTargets >= 1)) throw invalid(view.where, `it has ${nTargets} targets`);
  requireTargets(view, 'target_ids', nTargets);
  return [{ elementType: Type.float, shape: [rows, constantDim(nTargets)] }];
};

const linearClassifier: Infer = (view) => {
  const { rows, columns } = rowsOf(view);
  const nCoefficients = view.attribute('coefficients')?.floats.length ?? 0;
  const nIntercepts = view.attribute('intercepts')?.floats.length ?? 0;
  const nScores = columns.power > 0 ? 0 : nCoefficients / columns.size;
  const nClasses = classLabelsOf(view.node)?.length ?? 0;
  if (!(Number.isInteger(nScores) && nScores >= 1 && nScores <= Math.max(nClasses, 1)))
    throw invalid(view.where, `its ${nCoefficients} coefficients do not fit ${columns.size} columns`);
  if (nIntercepts > 0 && nIntercepts !== nScores)
    throw invalid(view.where, `it has ${nIntercepts} intercepts for ${nScores} scores`);
  return classifierOutputs(view, rows);
};

const linearRegressor: Infer = (view) => {
  const { rows, columns } = rowsOf(view);
  const nTargets = view.int('targets', 1);
  const nCoefficients = view.attribute('coefficients')?.floats.length ?? 0;
  if (columns.power > 0 || !(nTargets >= 1) || nCoefficients !== nTargets * columns.size)
    throw invalid(view.where, `its ${nCoefficients} coefficients do not fit ${columns.size} columns`);
  return [{ elementType: Type.float, shape: [rows, constantDim(nTargets)] }];
};

/** Support vectors are columns wide; a machine without any is linear. */
function requireVectors(view: NodeView, count: number, columns: Dim): void {
  const length = view.attribute('support_vectors')?.floats.length ?? 0;
  if (columns.power > 0 || (count > 0 && length !== count * columns.size))
    throw invalid(view.where, `its support vectors do not fit ${columns.size} columns`);
}

const svmClassifier: Infer = (view) => {
  const { rows, columns } = rowsOf(view);
  const perClass = view.attribute('vectors_per_class')?.ints ?? new Int32Array();
  let nVectors = 0;
  for (const count of perClass) nVectors += count;
  requireVectors(view, nVectors, columns);
  const [labels, scores] = classifierOutputs(view, rows);
  const n = scores!.shape[1]!.size;
  // Votes of pairs of classes where probabilities are not asked for.
  const width = view.attribute('prob_a') === undefined ? Math.max(n, (n * (n - 1)) / 2) : n;
  return [labels!, { ...scores!, shape: [rows, constantDim(width)] }];
};

const svmRegressor: Infer = (view) => {
  const { rows, columns } = rowsOf(view);
  requireVectors(view, view.int('n_supports', 0), columns);
  return [{ elementType: Type.float, shape: [rows, constantDim(1)] }];
};

/** The kinds of keys and values that LabelEncoder and CategoryMapper have. */
const valueTypes: Readonly<Record<string, number>> = {
  values_strings: Type.string,
  values_int64s: Type.int64,
  values_floats: Type.float,
};
const keyTypes: Readonly<Record<string, number>> = {
  keys_strings: Type.string,
  keys_int64s: Type.int64,
  keys_floats: Type.float,
};

const labelEncoder: Infer = (view) => {
  const { elementType, shape } = view.input(0);
  const named = (types: Readonly<Record<string, number>>, prefix: string) => {
    const list = view.node.attributes.find(({ name }) => types[name] !== undefined);
    if (list !== undefined) {
      const length = Math.max(list.ints.length, list.floats.length, list.strings.length);
      return { type: types[list.name]!, length };
    }
    const tensor = view.attribute(`${prefix}_tensor`)?.tensor;
    if (tensor === undefined) throw invalid(view.where, `it has no ${prefix}`);
    return { type: tensor.elementType, length: tensor.dims.reduce((a, b) => a * b, 1) };
  };
  if (view.opset === 1) {
    const toText = elementType !== Type.string;
    return [{ elementType: toText ? Type.string : Type.int64, shape }];
  }
  const [keys, values] = [named(keyTypes, 'keys'), named(valueTypes, 'values')];
  if (keys.length !== values.length) throw invalid(view.where, 'it has other keys than values');
  if (keys.type !== elementType)
    throw invalid(view.where, 'its keys have another element type than its input');
  return [{ elementType: values.type, shape }];
};

const categoryMapper: Infer = (view) => {
  const { elementType, shape } = view.input(0);
  return [{ elementType: elementType === Type.string ? Type.int64 : Type.string, shape }];
};

const oneHotEncoder: Infer = (view) => {
  const { shape, elementType } = view.input(0);
  const texts = view.attribute('cats_strings')?.strings.length ?? 0;
  const numbers = view.attribute('cats_int64s')?.ints.length ?? 0;
  if (texts > 0 !== (elementType === Type.string) || texts + numbers === 0)
    throw invalid(view.where, 'its categories have another element type than its input');
  return [{ elementType: Type.float, shape: [...shape, constantDim(texts + numbers)] }];
};

const arrayFeatureExtractor: Infer = (view) => {
  const { elementType, shape } = view.input(0);
  const index = view.input(1);
  if (index.elementType !== Type.int64) throw invalid(view.where, 'its index holds no integers');
  const count = elementsOf(index.shape);
  const front: Shape = shape.length <= 1 ? [constantDim(1)] : shape.slice(0, -1);
  return [{ elementType, shape: [...front, count] }];
};

const featureVectorizer: Infer = (view) => {
  const { rows } = rowsOf(view);
  const widths = view.inputs.map((facts) => facts?.shape.at(-1) ?? constantDim(1));
  const size = widths.reduce((sum, dim) => sum + dim.size, 0);
  return [{ elementType: Type.float, shape: [rows, constantDim(size)] }];
};

const tfIdf: Infer = (view) => {
  const { shape, elementType } = view.input(0);
  const isText = view.attribute('pool_strings') !== undefined;
  if (isText !== (elementType === Type.string))
    throw invalid(view.where, 'its pool has another element type');
  const indexes = view.attribute('ngram_indexes')?.ints ?? new Int32Array();
  let most = 0;
  for (const index of indexes) {
    if (index < 0) throw invalid(view.where, 'an index is negative');
    if (index > most) most = index;
  }
  return [{ elementType: Type.float, shape: [...shape.slice(0, -1), constantDim(most + 1)] }];
};

const zipMap: Infer = () => {
  throw new Refused(
    'ONNX_SIGNATURE_NOT_SUPPORTED',
    'probabilities are a list of maps, by a ZipMap',
    'export with probabilities as a matrix: options={"zipmap": False} in skl2onnx.to_onnx, zipmap=False in onnxmltools',
  );
};

export const classicalOperators: Readonly<Record<string, Infer>> = {
  ...{ Normalizer: toFloats, Scaler: scaler, Imputer: imputer, Binarizer: sameShape },
  ...{ TreeEnsembleClassifier: treeClassifier, TreeEnsembleRegressor: treeRegressor },
  ...{ LinearClassifier: linearClassifier, LinearRegressor: linearRegressor },
  ...{ SVMClassifier: svmClassifier, SVMRegressor: svmRegressor },
  ...{ LabelEncoder: labelEncoder, CategoryMapper: categoryMapper, OneHotEncoder: oneHotEncoder },
  ...{ ArrayFeatureExtractor: arrayFeatureExtractor, FeatureVectorizer: featureVectorizer },
  ...{ ZipMap: zipMap },
};

/** Of ai.onnx, though its texts are classical. */
export const textOperators: Readonly<Record<string, Infer>> = { TfIdfVectorizer: tfIdf };
