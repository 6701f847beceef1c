/** What an imported model becomes: our boosting, with features that come as they are. */
import { ValidationError } from '../../../errors.ts';
import type { ClassLabel, FeatureSpec } from '../../pipeline-model.ts';
import { BoostingPipelineModel, type Link } from '../boosting-pipeline.ts';
import type { CategoryCodes } from '../category-codes.ts';
import type { TreeEnsemble } from '../tree.ts';
import { notReadable } from './untrusted.ts';

export interface ImportOptions {
  /** Name of what is predicted: model files do not say. @default 'target' */
  readonly target?: string;
  /** Labels in the order of the library's class numbers, ascending. @default 0, 1, ... */
  readonly classes?: readonly ClassLabel[];
  /** Names of the features, for files without. @default those of the file, else f0, f1, ... */
  readonly features?: readonly string[];
  /** Per categorical feature its categories in the order of their codes, for files without. */
  readonly categories?: Readonly<Record<string, readonly string[]>>;
}

export interface ImportedModel {
  /** 0 for a regression, else at least 2. */
  readonly nClasses: number;
  readonly nScores: number;
  readonly initialScores: Float32Array;
  readonly trees: TreeEnsemble;
  readonly link: Link;
  readonly features: readonly string[];
  /** Position of each categorical feature and its categories; the code of a category is its position, if not said. */
  readonly categories: ReadonlyMap<number, ImportedCategories>;
}

export interface ImportedCategories {
  readonly names: readonly string[];
  readonly codes: readonly number[];
}

/** @throws ValidationError when the options do not fit the model. */
export function pipelineOf(model: ImportedModel, options: ImportOptions): BoostingPipelineModel {
  const { target = 'target' } = options;
  const names = uniqueNames(model.features, target);
  const classes = model.nClasses === 0 ? undefined : classesOf(model.nClasses, options.classes);
  const codes: CategoryCodes[] = [];
  const specs = names.map((name, position): FeatureSpec => {
    const listed = model.categories.get(position);
    if (listed === undefined) return { name, type: 'number' };
    const categories = [...listed.names].sort();
    if (new Set(categories).size < categories.length) {
      throw notReadable(`feature "${name}" has a category twice`, { feature: name });
    }
    const codeOf = new Map(listed.names.map((category, i) => [category, listed.codes[i]!]));
    codes.push({ column: position, codeOfCategory: categories.map((category) => codeOf.get(category)!) });
    return { name, type: 'category', categories };
  });
  return new BoostingPipelineModel(
    {
      task: classes === undefined ? 'regression' : 'classification',
      algorithm: 'gradient_boosting',
      target,
      specs,
      ...(classes === undefined ? {} : { classes }),
    },
    {
      expansion: {
        columns: specs.map(({ type }, source) => ({
          source,
          kind: type === 'category' ? ('category' as const) : ('numeric' as const),
        })),
      },
      categories: codes,
    },
    { nScores: model.nScores, initialScores: model.initialScores, trees: model.trees },
    model.link,
  );
}

function uniqueNames(names: readonly string[], target: string): readonly string[] {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw notReadable(`feature name "${name}" appears twice`, { feature: name });
    seen.add(name);
  }
  if (!seen.has(target)) return names;
  throw new ValidationError(`target "${target}" is the name of a feature; choose another one`, {
    evidence: { target },
  });
}

function classesOf(nClasses: number, given: readonly ClassLabel[] | undefined): readonly ClassLabel[] {
  if (given === undefined) return Array.from({ length: nClasses }, (_, k) => k);
  if (given.length !== nClasses) {
    throw new ValidationError(`classes has ${given.length} labels but the model has ${nClasses} classes`);
  }
  if (
    new Set(given.map((label) => typeof label)).size > 1 ||
    given.some((label, k) => k > 0 && !(given[k - 1]! < label))
  ) {
    throw new ValidationError(
      'classes must be of one type and in ascending order, as the library numbers them',
    );
  }
  return given;
}
