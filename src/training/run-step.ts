import { join } from 'node:path';
import type { Clock } from '../clock.ts';
import { DatasetNotFoundError, type DatasetStore } from '../data/dataset-store.ts';
import type { TabularEngine } from '../data/tabular-engine.ts';
import { inWorkFolder } from '../data/work-folder.ts';
import type { ParallelExecutor } from '../ml/parallel-executor.ts';
import { type Table, withoutColumns } from '../ml/table.ts';
import type { ModelExecutor } from '../serving/model-executor.ts';
import type { TenantContext } from '../tenancy/tenant-context.ts';
import type { ArtifactStore } from './artifact-store.ts';
import { beginStep } from './begin-step.ts';
import type { JobStore, StoredJob } from './job-store.ts';
import { columnsOf, unlearntColumns } from './selection-request.ts';
import { chooseStep } from './steps/choose.ts';
import { evaluateStep } from './steps/evaluate.ts';
import { evaluateCandidateStep } from './steps/evaluate-candidate.ts';
import { exportStep } from './steps/export.ts';
import { fitStep } from './steps/fit.ts';
import { loadStep } from './steps/load.ts';
import { planStep } from './steps/plan.ts';
import { splitStep } from './steps/split.ts';
import type { Step, StepEvent, StepState, TrainerStepName } from './steps/step.ts';
import { validateStep } from './steps/validate.ts';
import type { WorkFiles } from './work-files.ts';

const steps: Readonly<Record<TrainerStepName, Step>> = {
  load: loadStep,
  validate: validateStep,
  split: splitStep,
  plan: planStep,
  'evaluate-candidate': evaluateCandidateStep,
  choose: chooseStep,
  fit: fitStep,
  evaluate: evaluateStep,
  export: exportStep,
};

export interface StepParts {
  readonly jobs: JobStore;
  readonly datasets: DatasetStore;
  readonly workFiles: WorkFiles;
  readonly artifacts: ArtifactStore;
  readonly executor: ModelExecutor;
  readonly openEngine: (folder: string) => Promise<TabularEngine>;
  readonly clock: Clock;
  /** Threads for the fits. @default - none but the step's own */
  readonly parallel?: ParallelExecutor;
}

/** Steps of one job follow each other in a warm process: the table of the last one is kept, and no other. */
let lastTable: { readonly key: string; readonly table: Promise<Table> } | undefined;

/** Runs one step of the trainer. @param stopAtMs when this run has to have stopped */
export async function runStep(
  event: StepEvent<TrainerStepName>,
  parts: StepParts,
  at: { readonly requestId: string; readonly stopAtMs: number },
): Promise<StepState> {
  const { tenant, job } = await beginStep(parts.jobs, parts.clock, event, at.requestId);
  const tableWithFoldColumns = () => {
    const key = JSON.stringify([tenant.tenantId, job.request.dataset_id, columnsOf(job.request) ?? null]);
    if (lastTable?.key !== key) {
      lastTable = { key, table: readTrainingTable(tenant, job, parts) };
      lastTable.table.catch(() => {
        lastTable = undefined;
      });
    }
    return lastTable.table;
  };
  const table = async () => withoutColumns(await tableWithFoldColumns(), unlearntColumns(job.request));
  const stopAtMs = Math.min(at.stopAtMs, Date.parse(event.deadline));
  return steps[event.step]({ tenant, job, stopAtMs, table, tableWithFoldColumns, ...parts }, event.input);
}

async function readTrainingTable(
  tenant: TenantContext,
  job: StoredJob & { request: NonNullable<StoredJob['request']> },
  { datasets, openEngine }: StepParts,
): Promise<Table> {
  const { dataset_id } = job.request;
  const dataset = await datasets.get(tenant, dataset_id);
  if (dataset === undefined) throw new DatasetNotFoundError(dataset_id);
  return inWorkFolder(openEngine, async (folder, engine) => {
    const file = join(folder, 'data.parquet');
    await datasets.fetchParquet(tenant, dataset, file);
    return engine.readTable(file, columnsOf(job.request));
  });
}
