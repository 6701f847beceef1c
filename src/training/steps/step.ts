import type { Clock } from '../../clock.ts';
import type { DatasetStore } from '../../data/dataset-store.ts';
import type { ParallelExecutor } from '../../ml/parallel-executor.ts';
import type { Table } from '../../ml/table.ts';
import type { ModelExecutor } from '../../serving/model-executor.ts';
import type { TenantContext } from '../../tenancy/tenant-context.ts';
import type { ArtifactStore } from '../artifact-store.ts';
import type { JobStore, StoredJob } from '../job-store.ts';
import type { WorkFileRef, WorkFiles } from '../work-files.ts';

/** Facts and references that one step leaves for the next; a few kilobytes at most. */
export interface StepState {
  readonly estimated_bytes?: number;
  readonly size?: 'small' | 'medium' | 'large';
  readonly split?: WorkFileRef & { readonly n_train: number; readonly n_test: number };
  /** Whether candidates are compared, or the one there is is cross-validated, before the fit. */
  readonly selects?: boolean;
  readonly plan?: WorkFileRef;
  /** Numbers in the plan of those to evaluate now. */
  readonly candidates?: readonly number[];
  /** What the parallel evaluations left. */
  readonly results?: readonly {
    readonly candidate: number;
    readonly result?: WorkFileRef;
    /** Instead of a result: how the function of the evaluation ended. */
    readonly crash?: string;
  }[];
  /** Of one evaluation: its number, whether it is through, and what came out. */
  readonly candidate?: number;
  readonly candidate_done?: boolean;
  readonly result?: WorkFileRef;
  /** Whether the choice is made; else more evaluations follow. */
  readonly selected?: boolean;
  readonly selection?: WorkFileRef;
  readonly checkpoint?: WorkFileRef;
  readonly fit_done?: boolean;
  readonly model?: WorkFileRef;
  readonly evaluation?: WorkFileRef;
  readonly build_id?: string;
  readonly manifest_sha256?: string;
  readonly model_version?: string;
  readonly metrics?: Readonly<Record<string, number>>;
  readonly decision?: 'deploy' | 'keep';
  readonly reasons?: readonly string[];
}

/** What a trainer step works with. */
export interface StepContext {
  readonly tenant: TenantContext;
  readonly job: StoredJob & { readonly request: NonNullable<StoredJob['request']> };
  /** When this run of the step has to have stopped. */
  readonly stopAtMs: number;
  readonly jobs: JobStore;
  readonly datasets: DatasetStore;
  readonly workFiles: WorkFiles;
  readonly artifacts: ArtifactStore;
  readonly executor: ModelExecutor;
  /** What is learnt from, and the target; read once for all the steps that a warm process runs. */
  readonly table: () => Promise<Table>;
  /** The same with the columns that only decide which rows belong together. */
  readonly tableWithFoldColumns: () => Promise<Table>;
  readonly clock: Clock;
  readonly parallel?: ParallelExecutor;
}

export type Step = (context: StepContext, state: StepState) => Promise<StepState>;

/** A step that has its own function, beside the database. */
export type RegistryStepName = 'register' | 'promotion-gate' | 'deploy';

/** How far a job is when a step begins; fit fills its share by iterations, unless a choice has taken it before. */
export const progressAt = {
  load: 0.02,
  validate: 0.05,
  split: 0.08,
  plan: 0.09,
  'evaluate-candidate': 0.1,
  choose: 0.7,
  fit: 0.1,
  evaluate: 0.8,
  export: 0.87,
  register: 0.93,
  'promotion-gate': 0.96,
  deploy: 0.98,
} as const;

export type TrainerStepName = Exclude<keyof typeof progressAt, RegistryStepName>;

/** What the state machine sends to a step. */
export interface StepEvent<Name extends string = string> {
  readonly step: Name;
  readonly job_id: string;
  /** RFC 3339 */
  readonly deadline: string;
  readonly input: StepState;
}
