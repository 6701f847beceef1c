import {
  type Environment,
  environments,
  isEnvironment,
  type TrialEnvironment,
} from '../../contracts/environment-names.ts';
import { ValidationError } from '../../errors.ts';
import type { VersionChoice } from '../predictor.ts';
import type { ServingRoute } from './routes.ts';
import type { ServingRequest } from './serving-message.ts';

type Target = Pick<VersionChoice, 'environment' | 'version'>;

/**
 * What a call asks for, `undefined` where that is what serves production: an environment by `?environment=`, or by its
 * name in place of a version, in the path of the Open Inference Protocol or in SageMaker's header of the variant; else a
 * version.
 * @throws {ValidationError} when the parameter names no environment, or another one than the path
 */
export function targetOf({ query, headers }: ServingRequest, { version }: ServingRoute): Target | undefined {
  const named = version ?? variantOf(headers['x-amzn-sagemaker-target-variant']);
  const asked = query.environment;
  if (named === undefined && asked === undefined) return undefined;
  if (asked !== undefined && !isEnvironment(asked)) throw unknownEnvironment(asked);
  if (named === undefined) return trial(asked!);
  if (!isEnvironment(named)) return { ...(asked === undefined ? {} : trial(asked)), version: named };
  if (asked !== undefined && asked !== named) throw contradiction(named, asked);
  return trial(named);
}

/** What SageMaker calls the variant of an endpoint that has one only: clients that send its name choose nothing. */
const variantOf = (sent: string | undefined): string | undefined =>
  sent === '' || sent === 'AllTraffic' ? undefined : sent;

const trial = (environment: Environment): Target | undefined =>
  environment === 'production' ? undefined : { environment: environment satisfies TrialEnvironment };

const unknownEnvironment = (value: string) =>
  new ValidationError(`query /environment: ${value.slice(0, 40)} must be one of ${environments.join(', ')}`, {
    errors: [{ pointer: '/environment', detail: `must be one of ${environments.join(', ')}` }],
  });

const contradiction = (named: Environment, asked: Environment) =>
  new ValidationError(
    `query /environment: ${asked} is not ${named}, which the version names; leave one out`,
    {
      errors: [{ pointer: '/environment', detail: `must be ${named}, or be left out` }],
    },
  );
