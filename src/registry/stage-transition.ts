import type { ModelStage } from '../contracts/models.ts';
import { MLFrameworkError } from '../errors.ts';

/**
 * Which stage follows which. Production is entered by deploying and left by a successor, which archives it, or by
 * taking the model out of service; what has failed comes back only by being tried again from the beginning.
 */
const following: Readonly<Record<ModelStage, readonly ModelStage[]>> = {
  Development: ['Staging', 'Archived', 'Failed'],
  Staging: ['Production', 'Development', 'Archived', 'Failed'],
  Production: ['Archived'],
  Archived: ['Development', 'Staging'],
  Failed: ['Development', 'Archived'],
};

/** The state machine of stages has no such step. */
export class StageTransitionError extends MLFrameworkError {
  constructor(version: string, from: ModelStage, to: ModelStage) {
    const isSkipped = from === 'Development' && to === 'Production';
    const remedy = isSkipped
      ? 'move it to Staging first, or pass force, which is recorded'
      : 'pass force to take the step all the same, which is recorded';
    super(
      'STAGE_TRANSITION_REFUSED',
      `version ${version} is in ${from}, which is followed by ${following[from].join(', ')} and not by ${to}; ${remedy}`,
      { evidence: { from, to, allowed: following[from] } },
    );
  }
}

/** @returns whether it took force to get there @throws {StageTransitionError} */
export function checkTransition(
  version: string,
  from: ModelStage,
  to: ModelStage,
  options: { readonly force: boolean },
): { forced: boolean } {
  if (from === to || following[from].includes(to)) return { forced: false };
  if (!options.force) throw new StageTransitionError(version, from, to);
  return { forced: true };
}
