/** What a training request says about choosing between candidates: its meaning, and what may be refused at once. */
import type { Dataset } from '../contracts/datasets.ts';
import type { ModelTrainingRequest, Task } from '../contracts/training.ts';
import { type FieldError, ValidationError } from '../errors.ts';
import { autoCandidates, autoSplitter } from '../ml/model-selection/auto.ts';
import type { Candidate } from '../ml/model-selection/candidate.ts';
import { complexityOf, isLinear } from '../ml/model-selection/complexity.ts';
import { planSearch } from '../ml/model-selection/plan-search.ts';
import type { Splitter } from '../ml/model-selection/splitter.ts';

type SelectionRequest = Pick<
  ModelTrainingRequest,
  'algorithm' | 'cross_validation' | 'search' | 'hyperparameters' | 'random_state' | 'features'
>;

/** Whether there is anything to choose or to cross-validate before the fit. */
export const selects = ({ algorithm, search, cross_validation }: SelectionRequest): boolean =>
  algorithm === 'auto' || search !== undefined || cross_validation !== undefined;

/** Columns that decide which rows belong together, or come first. */
export function foldColumns({
  cross_validation: cv,
}: Pick<ModelTrainingRequest, 'cross_validation'>): string[] {
  if (cv?.kind === 'group' && cv.group_column !== undefined) return [cv.group_column];
  if (cv?.kind === 'time' && cv.time_column !== undefined) return [cv.time_column];
  return [];
}

/** @returns what a training reads of its dataset; undefined is everything */
export function columnsOf({ features, target, ...request }: ModelTrainingRequest): string[] | undefined {
  if (features === undefined) return undefined;
  return [...new Set([...features, target, ...foldColumns(request)])];
}

/**
 * Fold columns that are no features. Without a list of features the time is one, as every column is; the group is not:
 * the groups that the model will meet are others.
 */
export function unlearntColumns(request: Pick<SelectionRequest, 'cross_validation' | 'features'>): string[] {
  const { features, cross_validation } = request;
  return foldColumns(request).filter((name) =>
    features === undefined ? cross_validation?.kind === 'group' : !features.includes(name),
  );
}

export function splitterOf(request: SelectionRequest, task: Task, nTrain: number): Splitter {
  const { cross_validation: cv, random_state: randomState } = request;
  if (cv === undefined) return autoSplitter(nTrain, task, randomState);
  const nSplits = cv.folds;
  switch (cv.kind ?? (task === 'classification' ? 'stratified' : 'kfold')) {
    case 'stratified':
      return { kind: 'stratified', nSplits, randomState };
    case 'kfold':
      return { kind: 'kfold', nSplits, randomState };
    case 'group':
      return { kind: 'group', nSplits, randomState, groupColumn: cv.group_column! };
    case 'time':
      return {
        kind: 'time',
        nSplits,
        ...(cv.time_column === undefined ? {} : { timeColumn: cv.time_column }),
      };
  }
}

/**
 * @param nClasses - of a classification, where it is known
 * @throws ValidationError of a search that cannot be planned
 */
export function candidatesOf(request: SelectionRequest, task: Task, nClasses?: number): Candidate[] {
  const { algorithm, search, hyperparameters, random_state: randomState } = request;
  if (algorithm === 'auto') return autoCandidates(task, nClasses);
  if (search !== undefined) {
    const { method, n_candidates: nCandidates, space } = search;
    return planSearch({
      ...{ algorithm, method, nCandidates, hyperparameters, randomState },
      ...(space === undefined ? {} : { space }),
    });
  }
  const role = algorithm === 'baseline' ? 'naive' : isLinear(algorithm) ? 'linear' : 'candidate';
  return [{ id: `${algorithm}-1`, role, algorithm, hyperparameters, complexity: complexityOf(algorithm) }];
}

/**
 * Refuses what cannot be meant, and a search that cannot be planned.
 * @throws ValidationError
 */
export function checkSelection(request: ModelTrainingRequest, task: Task, dataset: Dataset): void {
  const errors: FieldError[] = [];
  const { algorithm, search, hyperparameters, cross_validation: cv, target } = request;
  const refuse = (pointer: string, detail: string) => errors.push({ pointer, detail });
  if (algorithm === 'auto') {
    if (search !== undefined)
      refuse('/search', 'auto has candidates of its own; name an algorithm to search');
    if (Object.keys(hyperparameters).length > 0) {
      refuse('/hyperparameters', 'auto chooses them itself; name an algorithm to set its hyperparameters');
    }
  }
  if (cv?.kind === 'stratified' && task === 'regression') {
    refuse('/cross_validation/kind', 'stratified needs classes; use kfold, group or time for regression');
  }
  if (cv?.kind === 'group' && cv.group_column === undefined) {
    refuse('/cross_validation/group_column', 'is required for group');
  }
  for (const [kind, field] of [
    ['group', 'group_column'],
    ['time', 'time_column'],
  ] as const) {
    const name = cv?.[field];
    if (name === undefined) continue;
    const pointer = `/cross_validation/${field}`;
    if (cv?.kind !== kind) refuse(pointer, `is for kind ${kind} only`);
    else if (name === target) refuse(pointer, 'cannot be the target');
    else if (!dataset.columns.some((column) => column.name === name)) {
      refuse(pointer, `the dataset has no column ${JSON.stringify(name)}`);
    } else if (kind === 'time' && !isOrdered(dataset, name)) {
      refuse(pointer, `must hold dates or numbers; ${JSON.stringify(name)} holds text`);
    }
  }
  if (errors.length > 0) throw new ValidationError(errors[0]!.detail, { errors });
  if (search !== undefined) candidatesOf(request, task);
}

const isOrdered = (dataset: Dataset, name: string): boolean =>
  dataset.columns.some((column) => column.name === name && column.type !== 'category');
