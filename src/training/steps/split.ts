import type { ModelTrainingRequest } from '../../contracts/training.ts';
import { type Split, splitRows } from '../../ml/split.ts';
import { columnNamed, type Table } from '../../ml/table.ts';
import { selects } from '../selection-request.ts';
import { encodeSplit } from '../split-file.ts';
import type { Step } from './step.ts';

/** Divides the rows into a train and a test part, by the rule and the seed of the request. */
export const splitStep: Step = async ({ tenant, job, table, workFiles }, state) => {
  const data: Table = await table();
  const rows = splitRows(data, ruleOf(job.request, data));
  const ref = await workFiles.put(tenant, job.job_id, 'split.bin', encodeSplit(rows));
  return {
    ...state,
    selects: selects(job.request),
    split: { ...ref, n_train: rows.train.length, n_test: rows.test.length },
  };
};

function ruleOf(
  { split, test_size, random_state, target, model_type }: ModelTrainingRequest,
  data: Table,
): Split {
  if (split === 'every_5th') return { kind: split };
  if (split === 'last') return { kind: split, testSize: test_size };
  const stratifyBy = model_type === 'classification' ? columnNamed(data, target) : undefined;
  const stratified = stratifyBy === undefined ? {} : { stratifyBy };
  return { kind: split, testSize: test_size, randomState: random_state, ...stratified };
}
