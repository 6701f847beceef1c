/** Hyperparameters as data: type, default and range, from which checks and documentation are made. */
import { ValidationError } from '../errors.ts';
import { nearestName } from './nearest-name.ts';

export interface Hyperparameter {
  /** scikit-learn's name where it has one. */
  readonly name: string;
  readonly aliases?: readonly string[];
  /** `signs`: an object from feature name to -1, 0 or 1. */
  readonly type: 'integer' | 'number' | 'boolean' | 'choice' | 'signs';
  readonly default: number | string | boolean | null;
  readonly minimum?: number;
  readonly maximum?: number;
  /** `minimum` itself is out of range. */
  readonly exclusiveMinimum?: boolean;
  /** `null` is allowed, with this meaning. */
  readonly nullMeans?: string;
  readonly choices?: readonly string[];
  readonly description: string;
}

export type HyperparameterValue = number | string | boolean | null | Readonly<Record<string, number>>;
export type HyperparameterValues = Readonly<Record<string, HyperparameterValue>>;

/**
 * Every hyperparameter of the list with the given or the default value, under its first name.
 * @throws ValidationError UNKNOWN_HYPERPARAMETER, INVALID_HYPERPARAMETER: the code of the first problem; all of them
 * in `errors`.
 */
export function resolveAgainst(
  owner: string,
  hyperparameters: readonly Hyperparameter[],
  given: Readonly<Record<string, unknown>>,
): HyperparameterValues {
  const values: Record<string, HyperparameterValue> = {};
  for (const { name, default: value } of hyperparameters) values[name] = value;
  const givenUnder = new Map<string, string>();
  const problems: { pointer: string; detail: string }[] = [];
  let code: string | undefined;
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) continue;
    const parameter = hyperparameters.find((one) => one.name === name || one.aliases?.includes(name));
    const detail =
      parameter === undefined
        ? unknownName(owner, name, hyperparameters)
        : givenUnder.has(parameter.name)
          ? `${name} and ${givenUnder.get(parameter.name)} are the same hyperparameter; give one of them`
          : brokenRule(parameter, name, value);
    if (detail !== undefined) {
      problems.push({ pointer: `/hyperparameters/${name}`, detail });
      code ??= parameter === undefined ? 'UNKNOWN_HYPERPARAMETER' : 'INVALID_HYPERPARAMETER';
    } else {
      givenUnder.set(parameter!.name, name);
      values[parameter!.name] = value as HyperparameterValue;
    }
  }
  if (problems.length > 0) {
    throw new ValidationError(problems.map(({ detail }) => detail).join('; '), {
      code: code!,
      errors: problems,
    });
  }
  return values;
}

function unknownName(owner: string, name: string, hyperparameters: readonly Hyperparameter[]): string {
  const names = hyperparameters.flatMap((one) => [one.name, ...(one.aliases ?? [])]);
  return `${owner} has no hyperparameter "${name}"; did you mean "${nearestName(name, names)}"? It has ${names.join(', ')}`;
}

function brokenRule(parameter: Hyperparameter, name: string, value: unknown): string | undefined {
  if (value === null && parameter.nullMeans !== undefined) return undefined;
  const rule = ruleOf(parameter);
  const shown =
    typeof value === 'string' ? `"${value.slice(0, 64)}"` : (JSON.stringify(value) ?? typeof value);
  const broken = `${name}=${shown} must be ${rule}; the default is ${parameter.default}`;
  if (parameter.type === 'signs') return isSigns(value) ? undefined : broken;
  if (parameter.type === 'boolean') return typeof value === 'boolean' ? undefined : broken;
  if (parameter.type === 'choice') {
    return typeof value === 'string' && parameter.choices!.includes(value) ? undefined : broken;
  }
  if (typeof value !== 'number' || !Number.isFinite(value)) return broken;
  if (parameter.type === 'integer' && !Number.isInteger(value)) return broken;
  const { minimum = Number.NEGATIVE_INFINITY, maximum = Number.POSITIVE_INFINITY } = parameter;
  const aboveMinimum = parameter.exclusiveMinimum ? value > minimum : value >= minimum;
  return aboveMinimum && value <= maximum ? undefined : broken;
}

function isSigns(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return Object.values(value).every((sign) => sign === -1 || sign === 0 || sign === 1);
}

/** The range in words, for messages and documentation. */
export function ruleOf(parameter: Hyperparameter): string {
  const parts: string[] = [];
  if (parameter.type === 'signs') parts.push('an object from feature name to -1, 0 or 1');
  else if (parameter.type === 'boolean') parts.push('true or false');
  else if (parameter.type === 'choice') parts.push(`one of ${parameter.choices!.join(', ')}`);
  else {
    parts.push(parameter.type === 'integer' ? 'an integer' : 'a number');
    if (parameter.minimum !== undefined)
      parts.push(`${parameter.exclusiveMinimum ? '>' : '>='} ${parameter.minimum}`);
    if (parameter.maximum !== undefined) {
      parts.push(`${parameter.minimum === undefined ? '' : 'and '}<= ${parameter.maximum}`);
    }
  }
  if (parameter.nullMeans !== undefined) parts.push(`or null (${parameter.nullMeans})`);
  return parts.join(' ');
}
