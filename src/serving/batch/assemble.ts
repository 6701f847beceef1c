import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isoAt } from '../../clock.ts';
import { sha256OfFile } from '../../data/file-hash.ts';
import { inWorkFolder } from '../../data/work-folder.ts';
import { MLFrameworkError } from '../../errors.ts';
import type { ResultFacts } from './batch-files.ts';
import type { BatchState, BatchStepContext } from './batch-step.ts';
import { scoreInlineRows } from './inline-rows.ts';
import { nParts, type PartPlan, rangeOf } from './parts.ts';

/** S3 takes no more in one PUT. */
const maxResultBytes = 5 * 1024 ** 3;

/** The parts would make a file that cannot be stored at once. */
export class ResultTooLargeError extends MLFrameworkError {
  constructor(what: string, cause?: unknown) {
    super(
      'RESULT_TOO_LARGE',
      `${what}; copy fewer columns, choose parquet, or score the dataset in several parts`,
      { cause },
    );
  }
}

/** A part is not there, or not as it was planned. */
export class PartMissingError extends MLFrameworkError {
  constructor(from: number) {
    super('BATCH_PART_MISSING', `the scored rows from ${from} on are gone or incomplete; start again`);
  }
}

/** The disk of a function holds what it holds: then it is the result that is too large, not the platform that failed. */
function refuseFullDisk(error: unknown): never {
  if (!/no space left on device/i.test((error as Error).message)) throw error;
  throw new ResultTooLargeError('the result does not fit on the disk of a batch function', error);
}

const dayMs = 24 * 60 * 60 * 1000;

/** Joins the parts to the result, then writes its manifest; a result that is whole already stays as it is. */
export async function assemble(context: BatchStepContext, state: BatchState): Promise<BatchState> {
  const { tenant, job, files } = context;
  const whole = await files.result(tenant, job.job_id);
  if (whole !== undefined) {
    const { kept_until, format, bytes, sha256, n_rows, n_failed_rows } = whole;
    return { result: { kept_until, format, bytes, sha256, n_rows, n_failed_rows } };
  }
  // Parts and result need all the room there is.
  await context.keptDataset.forget();
  return inWorkFolder(context.openEngine, async (folder, engine) => {
    const file = join(folder, 'result');
    if (job.batch.format === 'json') {
      const counted = await scoreInlineRows(context, file);
      await context.jobs.finishPart(tenant, job.job_id, 0);
      return publish(context, file, counted);
    }
    const division: PartPlan = { n_rows: state.n_rows!, rows_per_part: state.rows_per_part! };
    const partFiles: string[] = [];
    for (let part = 0; part < nParts(division); part++) {
      const range = rangeOf(division, part);
      const partFile = join(folder, `part-${part}.parquet`);
      if (!(await files.fetchPart(tenant, job.job_id, range, partFile)))
        throw new PartMissingError(range.from);
      partFiles.push(partFile);
    }
    const counted = await engine.assemble(partFiles, job.batch.format, file).catch(refuseFullDisk);
    if (counted.nRows !== division.n_rows) throw new PartMissingError(counted.nRows);
    return publish(context, file, counted);
  });
}

async function publish(
  { tenant, job, files, clock, resultDays }: BatchStepContext,
  file: string,
  { nRows, nFailedRows }: { nRows: number; nFailedRows: number },
): Promise<BatchState> {
  const { size } = await stat(file);
  if (size > maxResultBytes)
    throw new ResultTooLargeError(`the result has ${size} bytes, the limit is ${maxResultBytes}`);
  const result: ResultFacts = {
    kept_until: isoAt(clock.nowMs() + resultDays * dayMs),
    format: job.batch.format,
    bytes: size,
    sha256: await sha256OfFile(file),
    n_rows: nRows,
    n_failed_rows: nFailedRows,
  };
  const { model_name, dataset_id } = job.batch;
  const { version, artifact_sha256 } = job.pinned;
  await files.putResult(
    tenant,
    {
      ...result,
      job_id: job.job_id,
      model_name,
      model_version: version,
      artifact_sha256,
      ...(dataset_id === undefined ? {} : { dataset_id }),
    },
    file,
  );
  return { result };
}
