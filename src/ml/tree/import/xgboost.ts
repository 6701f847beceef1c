/** Models that XGBoost saved as JSON or UBJSON, as ours. */
import type { BoostingPipelineModel, Link } from '../boosting-pipeline.ts';
import { TreeEnsembleBuilder } from '../tree.ts';
import { type ImportedCategories, type ImportOptions, pipelineOf } from './imported-model.ts';
import { parseUbjson } from './ubjson.ts';
import {
  type Fields,
  field,
  fieldsOf,
  integerOf,
  listOf,
  MAX_CLASSES,
  MAX_FEATURES,
  notReadable,
  numberOf,
  requireSize,
  textFrom,
  textOf,
  unsupported,
} from './untrusted.ts';
import { parseXgboostJson } from './xgboost-json.ts';
import { addXgboostTree, type TreeShape } from './xgboost-tree.ts';

/** How scores and the base score, which is kept as a prediction, are to be read. */
interface ObjectiveReading {
  readonly kind: 'binary' | 'multiclass' | 'regression';
  readonly link: Link;
  marginOf(baseScore: number): number;
}

const identity = (baseScore: number) => baseScore;
const regression: ObjectiveReading = { kind: 'regression', link: 'identity', marginOf: identity };
const logRegression: ObjectiveReading = { kind: 'regression', link: 'log', marginOf: Math.log };
const multiclass: ObjectiveReading = { kind: 'multiclass', link: 'identity', marginOf: identity };

const objectives: Readonly<Record<string, ObjectiveReading>> = {
  'binary:logistic': { kind: 'binary', link: 'identity', marginOf: (p) => -Math.log(1 / p - 1) },
  'multi:softprob': multiclass,
  'multi:softmax': multiclass,
  'reg:squarederror': regression,
  'reg:absoluteerror': regression,
  'reg:pseudohubererror': regression,
  'reg:quantileerror': regression,
  'count:poisson': logRegression,
  'reg:gamma': logRegression,
  'reg:tweedie': logRegression,
};

/**
 * Boosters gbtree and dart, saved by XGBoost 1.3 or later with `save_model`, with all of their trees.
 * Predictions agree with XGBoost's for float32 values within the rounding of its sums; covers are its sums of second
 * derivatives, so that explanations are those of `pred_contribs`. Categories need their names in the options: the file
 * has codes only. A value of a categorical feature that is not among them is missing, here.
 * @param bytes - may come from anyone: whatever they hold, the answer is a model or a ValidationError.
 * @throws ValidationError MODEL_NOT_READABLE, UNSUPPORTED_MODEL, UNSUPPORTED_OBJECTIVE; VALIDATION_FAILED for options
 * that do not fit.
 */
export function importXgboost(bytes: Uint8Array, options: ImportOptions = {}): BoostingPipelineModel {
  const learner = fieldsOf(field(fieldsOf(parsed(bytes), 'the model'), 'learner'), 'learner');
  const objective = objectiveOf(learner);
  const param = fieldsOf(field(learner, 'learner_model_param'), 'learner_model_param');
  const nFeatures = integerOf(field(param, 'num_feature'), 'num_feature', 0, MAX_FEATURES);
  const features = featureNames(learner, nFeatures, options);
  const nClasses = classCount(objective, param);
  const { model, weights } = treesOf(learner);
  const trees = listOf(field(model, 'trees'), 'trees');
  const shape = shapeOf(learner, features, options);
  const groups = byScore(model, trees.length, Math.max(1, nClasses));
  // Of two classes, ours has one score: that of the second less that of the first.
  const isPair = objective.kind === 'multiclass' && nClasses === 2;
  const builder = new TreeEnsembleBuilder();
  for (let i = 0; i < groups[0]!.length; i++) {
    groups.forEach((group, k) => {
      const tree = group[i]!;
      const weight = weights === undefined ? 1 : numberOf(weights[tree], `weight_drop[${tree}]`);
      addXgboostTree(builder, trees[tree], isPair && k === 0 ? -weight : weight, shape, `tree ${tree}`);
    });
  }
  const base = baseScores(objective, param, groups.length);
  const initialScores = isPair ? [base[1]! - base[0]!] : base;
  return pipelineOf(
    {
      nClasses: objective.kind === 'binary' ? 2 : objective.kind === 'multiclass' ? nClasses : 0,
      nScores: initialScores.length,
      initialScores: Float32Array.from(initialScores),
      trees: builder.build(),
      link: objective.link,
      features,
      categories: categoriesOf(shape, features, options),
    },
    options,
  );
}

function parsed(bytes: Uint8Array): unknown {
  requireSize(bytes);
  // After the brace, UBJSON has the length of a name and JSON a quote or white space.
  if (bytes[0] !== 0x7b)
    throw notReadable('it is neither JSON nor UBJSON; save it with save_model("model.json")');
  if ('iUIlL$#'.includes(String.fromCharCode(bytes[1] ?? 0x20))) return parseUbjson(bytes);
  return parseXgboostJson(textFrom(bytes));
}

function objectiveOf(learner: Fields): ObjectiveReading {
  const fields = fieldsOf(field(learner, 'objective'), 'objective');
  const name = textOf(field(fields, 'name'), 'objective.name');
  if (Object.hasOwn(objectives, name)) return objectives[name]!;
  throw unsupported(
    'UNSUPPORTED_OBJECTIVE',
    `objective ${JSON.stringify(name.slice(0, 60))} is not supported; there are ${Object.keys(objectives).join(', ')}`,
  );
}

function classCount({ kind }: ObjectiveReading, param: Fields): number {
  const nClasses = integerOf(field(param, 'num_class'), 'num_class', 0, MAX_CLASSES);
  const nTargets = integerOf(field(param, 'num_target') ?? 1, 'num_target', 0, MAX_CLASSES);
  if (nTargets > 1)
    throw unsupported('UNSUPPORTED_MODEL', `num_target=${nTargets}: only one target is supported`);
  if (kind === 'multiclass' ? nClasses < 2 : nClasses > 1) {
    throw notReadable(`num_class=${nClasses} does not fit the objective`);
  }
  return kind === 'multiclass' ? nClasses : 0;
}

function baseScores({ marginOf }: ObjectiveReading, param: Fields, nScores: number): number[] {
  const value = field(param, 'base_score');
  // Since 3.1 a list in a text.
  const texts = typeof value === 'string' ? value.replace(/^\[|\]$/g, '').split(',') : [value];
  if (texts.length !== 1 && texts.length !== nScores)
    throw notReadable(`base_score has ${texts.length} values`);
  const margins = texts.map((one) => Math.fround(marginOf(numberOf(one, 'base_score'))));
  if (!margins.every(Number.isFinite)) throw notReadable(`base_score=${texts[0]} does not fit the objective`);
  return Array.from({ length: nScores }, (_, k) => margins[margins.length === 1 ? 0 : k]!);
}

/** The trees' object, and the factor of each tree in dart. */
function treesOf(learner: Fields): { model: Fields; weights?: ArrayLike<unknown> } {
  const booster = fieldsOf(field(learner, 'gradient_booster'), 'gradient_booster');
  const name = textOf(field(booster, 'name'), 'gradient_booster.name');
  if (name === 'gbtree') return { model: fieldsOf(field(booster, 'model'), 'model') };
  if (name === 'dart') {
    const model = fieldsOf(field(fieldsOf(field(booster, 'gbtree'), 'gbtree'), 'model'), 'model');
    const nTrees = listOf(field(model, 'trees'), 'trees').length;
    return { model, weights: listOf(field(booster, 'weight_drop'), 'weight_drop', nTrees) };
  }
  throw unsupported(
    'UNSUPPORTED_MODEL',
    `booster ${JSON.stringify(name.slice(0, 60))} is not supported, only gbtree and dart: other models have no trees`,
  );
}

/** Numbers of the trees of each score, alike in number. */
function byScore(model: Fields, nTrees: number, nScores: number): number[][] {
  const info = listOf(field(model, 'tree_info'), 'tree_info', nTrees);
  const groups = Array.from({ length: nScores }, (): number[] => []);
  for (let tree = 0; tree < nTrees; tree++) {
    groups[integerOf(info[tree], `tree_info[${tree}]`, 0, nScores - 1)]!.push(tree);
  }
  if (groups.some((group) => group.length !== groups[0]!.length)) {
    throw notReadable('classes differ in their number of trees');
  }
  return groups;
}

function featureNames(learner: Fields, nFeatures: number, { features }: ImportOptions): readonly string[] {
  const listed = features ?? field(learner, 'feature_names') ?? [];
  const names = listOf(listed, 'feature_names');
  if (names.length === 0) return Array.from({ length: nFeatures }, (_, i) => `f${i}`);
  listOf(listed, 'feature_names', nFeatures);
  return Array.from(names, (name) => textOf(name, 'a feature name'));
}

function shapeOf(learner: Fields, features: readonly string[], { categories }: ImportOptions): TreeShape {
  const types = listOf(field(learner, 'feature_types') ?? [], 'feature_types');
  const given = (name: string) =>
    categories !== undefined && Object.hasOwn(categories, name) ? categories[name]!.length : 0;
  return {
    kinds: features.map((_, i) => (types[i] === 'c' ? 'category' : undefined)),
    nCodes: features.map(given),
  };
}

function categoriesOf(
  { kinds }: TreeShape,
  features: readonly string[],
  { categories = {} }: ImportOptions,
): Map<number, ImportedCategories> {
  const found = new Map<number, ImportedCategories>();
  features.forEach((name, position) => {
    if (kinds[position] !== 'category') return;
    const names = Object.hasOwn(categories, name) ? categories[name]! : [];
    found.set(position, { names, codes: names.map((_, code) => code) });
  });
  return found;
}
