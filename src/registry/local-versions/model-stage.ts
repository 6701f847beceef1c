import type { ModelStage as StageName } from '../../contracts/models.ts';

/** Where a version is in its life. */
export const ModelStage = {
  DEVELOPMENT: 'Development',
  STAGING: 'Staging',
  PRODUCTION: 'Production',
  ARCHIVED: 'Archived',
  FAILED: 'Failed',
} as const satisfies Readonly<Record<Uppercase<StageName>, StageName>>;
export type ModelStage = StageName;
