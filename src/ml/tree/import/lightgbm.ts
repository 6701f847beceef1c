/** Models that LightGBM saved as text, as ours. */
import type { BoostingPipelineModel, Link } from '../boosting-pipeline.ts';
import { TreeEnsembleBuilder } from '../tree.ts';
import { type ImportedCategories, type ImportOptions, pipelineOf } from './imported-model.ts';
import { type Lines, lineOf, readLightgbmText, wordsOf } from './lightgbm-text.ts';
import {
  addLightgbmTree,
  codesOf,
  isCategorySplit,
  type LightgbmTree,
  readLightgbmTree,
} from './lightgbm-tree.ts';
import {
  integerOf,
  MAX_CLASSES,
  MAX_FEATURES,
  notReadable,
  numberOf,
  textFrom,
  unsupported,
} from './untrusted.ts';

const MAX_CATEGORIES = 1_000_000;

interface ObjectiveReading {
  readonly kind: 'binary' | 'multiclass' | 'regression';
  readonly link: Link;
}

const regression: ObjectiveReading = { kind: 'regression', link: 'identity' };
const logRegression: ObjectiveReading = { kind: 'regression', link: 'log' };

const objectives: Readonly<Record<string, ObjectiveReading>> = {
  binary: { kind: 'binary', link: 'identity' },
  multiclass: { kind: 'multiclass', link: 'identity' },
  regression,
  regression_l1: regression,
  huber: regression,
  fair: regression,
  quantile: regression,
  mape: regression,
  poisson: logRegression,
  gamma: logRegression,
  tweedie: logRegression,
};

/**
 * Text models of LightGBM 2.3 and later (versions v3 and v4), with all of their trees.
 * Predictions agree with LightGBM's for float32 values within the rounding of leaves to float32; covers are its counts
 * of rows. Names of categories come from the options, else from pandas as the file kept it, else they are the codes.
 * @param bytes - may come from anyone: whatever they hold, the answer is a model or a ValidationError.
 * @throws ValidationError MODEL_NOT_READABLE, UNSUPPORTED_MODEL, UNSUPPORTED_OBJECTIVE; VALIDATION_FAILED for options
 * that do not fit.
 */
export function importLightgbm(bytes: Uint8Array, options: ImportOptions = {}): BoostingPipelineModel {
  const { header, trees: blocks, pandasCategorical } = readLightgbmText(textFrom(bytes));
  const version = lineOf(header, 'version');
  if (version !== 'v3' && version !== 'v4') {
    throw unsupported(
      'UNSUPPORTED_MODEL',
      `format version ${version.slice(0, 20)} is not supported, only v3 and v4`,
    );
  }
  const { objective, sigmoid } = objectiveOf(header);
  const nPerIteration = integerOf(
    lineOf(header, 'num_tree_per_iteration'),
    'num_tree_per_iteration',
    1,
    MAX_CLASSES,
  );
  if (objective.kind === 'multiclass' ? nPerIteration < 2 : nPerIteration !== 1) {
    throw notReadable(`num_tree_per_iteration=${nPerIteration} does not fit the objective`);
  }
  if (blocks.length % nPerIteration !== 0)
    throw notReadable('the trees of the last iteration are not complete');
  const features = featureNames(header, options);
  const trees = blocks.map((lines, i) => readLightgbmTree(lines, features.length, `tree ${i}`));
  const categories = categoriesOf(trees, header, features, pandasCategorical, options);
  const codeMaps = new Map([...categories].map(([feature, { codes }]) => [feature, positions(codes)]));
  const ourCode = (feature: number, code: number): number => codeMaps.get(feature)!.get(code)!;
  const isPair = objective.kind === 'multiclass' && nPerIteration === 2;
  // Forests are averages.
  const nIterations = header.has('average_output') ? Math.max(1, blocks.length / nPerIteration) : 1;
  const builder = new TreeEnsembleBuilder();
  trees.forEach((tree, i) => {
    // Of two classes, ours has one score: that of the second less that of the first.
    const sign = isPair && i % 2 === 0 ? -1 : 1;
    addLightgbmTree(builder, tree, (sign * sigmoid) / nIterations, ourCode);
  });
  const nScores = isPair ? 1 : nPerIteration;
  return pipelineOf(
    {
      nClasses: objective.kind === 'binary' ? 2 : objective.kind === 'multiclass' ? nPerIteration : 0,
      nScores,
      initialScores: new Float32Array(nScores),
      trees: builder.build(),
      link: objective.link,
      features,
      // Ours are small and dense.
      categories: new Map(
        [...categories].map(([feature, { names }]) => [feature, { names, codes: names.map((_, i) => i) }]),
      ),
    },
    options,
  );
}

/** The objective and the factor on the score of two classes. */
function objectiveOf(header: Lines): { objective: ObjectiveReading; sigmoid: number } {
  const [name = '', ...parameters] = (header.get('objective') ?? '').split(' ');
  if (!Object.hasOwn(objectives, name) || parameters.includes('sqrt')) {
    const given = [name, ...parameters].join(' ').slice(0, 60);
    throw unsupported(
      'UNSUPPORTED_OBJECTIVE',
      `objective ${JSON.stringify(given)} is not supported; there are ${Object.keys(objectives).join(', ')}`,
    );
  }
  const sigmoid = parameters.find((one) => one.startsWith('sigmoid:'));
  return {
    objective: objectives[name]!,
    sigmoid: sigmoid === undefined ? 1 : numberOf(sigmoid.slice('sigmoid:'.length), 'sigmoid'),
  };
}

function featureNames(header: Lines, options: ImportOptions): readonly string[] {
  const nFeatures = 1 + integerOf(lineOf(header, 'max_feature_idx'), 'max_feature_idx', 0, MAX_FEATURES - 1);
  const names = options.features ?? wordsOf(header, 'feature_names');
  if (names.length !== nFeatures) {
    throw notReadable(`there are ${names.length} feature names, and ${nFeatures} are needed`);
  }
  return names;
}

/** Features with categories; `codes` are LightGBM's, ascending. */
function categoriesOf(
  trees: readonly LightgbmTree[],
  header: Lines,
  features: readonly string[],
  pandasCategorical: string | undefined,
  { categories = {} }: ImportOptions,
): Map<number, ImportedCategories> {
  const infos = wordsOf(header, 'feature_infos', features.length);
  const codes = new Map<number, Set<number>>();
  infos.forEach((info, feature) => {
    if (!info.startsWith('[') && info !== 'none') codes.set(feature, listedCodes(info));
  });
  const pandas = pandasLists(pandasCategorical);
  const listed = [...codes.keys()];
  const namesOf = (feature: number): readonly string[] | undefined => {
    const name = features[feature]!;
    if (Object.hasOwn(categories, name)) return categories[name];
    // pandas' lists do not say which columns they are of.
    return pandas?.length === listed.length ? pandas[listed.indexOf(feature)] : undefined;
  };
  addCodesOfSplits(trees, codes);
  return new Map(
    [...codes].map(([feature, set]) => {
      const names = namesOf(feature);
      const sorted = Array.from(names?.keys() ?? set).sort((a, b) => a - b);
      if (names === undefined) return [feature, { names: sorted.map(String), codes: sorted }];
      for (const code of set) {
        if (code < names.length) continue;
        throw notReadable(
          `feature "${features[feature]}" has category code ${code} but ${names.length} names`,
        );
      }
      return [feature, { names, codes: sorted }];
    }),
  );
}

/** `-1:0:3`, where -1 is missing. */
function listedCodes(info: string): Set<number> {
  const codes = info.split(':').map((code) => integerOf(code, 'feature_infos', -(2 ** 31), 2 ** 31 - 1));
  return new Set(codes.filter((code) => code >= 0));
}

/** A model that was trained on may know codes that its last data set did not have. */
function addCodesOfSplits(trees: readonly LightgbmTree[], codes: Map<number, Set<number>>): void {
  const isNumber = new Set<number>();
  for (const tree of trees) {
    tree.features.forEach((feature, split) => {
      if (!isCategorySplit(tree, split)) isNumber.add(feature);
      else {
        const known = codes.get(feature) ?? new Set();
        for (const code of codesOf(tree, split)) known.add(code);
        codes.set(feature, known);
        if (known.size > MAX_CATEGORIES)
          throw notReadable(`feature ${feature} has more than ${MAX_CATEGORIES} categories`);
      }
    });
  }
  for (const feature of codes.keys()) {
    if (isNumber.has(feature))
      throw notReadable(`feature ${feature} is tested as a number and as a category`);
  }
}

/** @returns undefined when the file has none, or they are not of text */
function pandasLists(text: string | undefined): string[][] | undefined {
  let lists: unknown;
  try {
    lists = JSON.parse(text ?? 'null');
  } catch {
    throw notReadable('pandas_categorical is no JSON');
  }
  if (!Array.isArray(lists)) return undefined;
  const isText = lists.every((list) => Array.isArray(list) && list.every((one) => typeof one === 'string'));
  return isText ? (lists as string[][]) : undefined;
}

function positions(codes: readonly number[]): Map<number, number> {
  return new Map(codes.map((code, i) => [code, i]));
}
