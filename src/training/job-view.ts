import type { Job } from '../contracts/training.ts';
import { rowsDone } from '../serving/batch/parts.ts';
import type { StoredJob } from './job-store.ts';

/** @returns what the tenant sees of a job */
export function jobView(job: StoredJob): Job {
  const {
    actor: _actor,
    request: _request,
    upload_id: _uploadId,
    batch: _batch,
    import: _import,
    pinned: _pinned,
    parts,
    parts_done,
    ...shown
  } = job;
  const view: Job =
    parts === undefined
      ? shown
      : { ...shown, rows: { done: rowsDone(parts, parts_done ?? []), total: parts.n_rows } };
  if (
    job.kind === 'batch' ||
    job.kind === 'import' ||
    view.started_at === undefined ||
    view.ended_at === undefined
  )
    return view;
  const seconds = (Date.parse(view.ended_at) - Date.parse(view.started_at)) / 1000;
  return { ...view, training_time: seconds };
}
