import type { ImportRequest } from '../contracts/imports.ts';
import type { ModelName } from '../contracts/names.ts';

/** What an import is to make of a file; kept with the upload. */
export interface ImportWork extends ImportRequest {
  readonly model_name: ModelName;
}

/** What the job of an import keeps of it: names of ten thousand features are with the upload. */
export type ImportPlan = Pick<ImportWork, 'model_name' | 'deploy'>;
