import { splitRows } from '../../ml/split.ts';
import { columnNamed, type Table } from '../../ml/table.ts';
import { selects } from '../selection-request.ts';
import { encodeSplit } from '../split-file.ts';
import type { Step } from './step.ts';

/** Divides the rows into a train and a test part, by the rule and the seed of the request. */
export const splitStep: Step = async ({ tenant, job, table, workFiles }, state) => {
  const { split, test_size, random_state, target, model_type } = job.request;
  const data: Table = await table();
  const stratifyBy = model_type === 'classification' ? columnNamed(data, target) : undefined;
  const rows = splitRows(
    data,
    split === 'every_5th'
      ? { kind: 'every_5th' }
      : {
          kind: 'random',
          testSize: test_size,
          randomState: random_state,
          ...(stratifyBy === undefined ? {} : { stratifyBy }),
        },
  );
  const ref = await workFiles.put(tenant, job.job_id, 'split.bin', encodeSplit(rows));
  return {
    ...state,
    selects: selects(job.request),
    split: { ...ref, n_train: rows.train.length, n_test: rows.test.length },
  };
};
