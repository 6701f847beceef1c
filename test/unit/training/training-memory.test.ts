import { describe, expect, it } from 'vitest';
import { ModelTrainingRequest } from '../../../src/contracts/training.ts';
import { autoCandidates } from '../../../src/ml/model-selection/auto.ts';
import type { Candidate } from '../../../src/ml/model-selection/candidate.ts';
import { loadStep } from '../../../src/training/steps/load.ts';
import type { StepContext } from '../../../src/training/steps/step.ts';
import {
  bytesOf,
  capacityBytes,
  estimatedTrainingBytes,
  sizeFor,
} from '../../../src/training/training-memory.ts';
import { datasetId, sampleDataset } from '../../support/samples.ts';

const candidates = autoCandidates('classification');
const dataOf = (nRows: number) => ({ nRows, nColumns: 30, nClasses: 2 });
const inRace = (nRows: number) => estimatedTrainingBytes(candidates, dataOf(nRows));
const largestOf = (some: readonly Candidate[], nRows: number) =>
  Math.max(...some.map((one) => bytesOf(one, dataOf(nRows))));

/** Rows at which the first holds and the second does not. */
function rowsBetween(holds: (nRows: number) => boolean, holdsNot: (nRows: number) => boolean): number {
  for (let nRows = 1_000; nRows < 1e8; nRows *= 1.05) {
    if (holds(Math.round(nRows)) && holdsNot(Math.round(nRows))) return Math.round(nRows);
  }
  throw new Error('there is no such number of rows');
}

describe('the memory of a race', () => {
  it('is that of its largest fit', () => {
    expect(inRace(10_000)).toBe(largestOf(candidates, 10_000));
  });

  it('leaves out what the largest function cannot hold, as long as a contender is left', () => {
    const nRows = rowsBetween(
      (n) => inRace(n) <= capacityBytes.large,
      (n) => largestOf(candidates, n) > capacityBytes.large,
    );
    const fitting = candidates.filter((one) => bytesOf(one, dataOf(nRows)) <= capacityBytes.large);
    expect(inRace(nRows)).toBe(largestOf(fitting, nRows));
    expect(sizeFor(inRace(nRows))).toBe('large');
  });

  it('is too much when only baselines would be left', () => {
    const contenders = candidates.filter(({ role }) => role === 'candidate');
    const nRows = rowsBetween(
      (n) => largestOf(candidates.slice(0, 1), n) < capacityBytes.large,
      (n) => contenders.every((one) => bytesOf(one, dataOf(n)) > capacityBytes.large),
    );
    expect(sizeFor(inRace(nRows))).toBeUndefined();
  });
});

describe('the load step', () => {
  const contextOf = (nRows: number) =>
    ({
      job: {
        request: ModelTrainingRequest.parse({
          ...{ model_name: 'm', dataset_id: datasetId(), target: 'age', model_type: 'regression' },
          algorithm: 'auto',
        }),
      },
      datasets: { get: async () => sampleDataset({ n_rows: nRows }) },
    }) as unknown as StepContext;

  it('chooses a function by what the fits take, and refuses what none holds with the figures', async () => {
    expect(await loadStep(contextOf(1_000), {})).toMatchObject({ size: 'small' });
    await expect(loadStep(contextOf(1e9), {})).rejects.toMatchObject({
      code: 'DATASET_TOO_LARGE',
      message: expect.stringMatching(/needs about \d+ MiB, the largest function holds 1500 MiB/),
    });
  });
});
