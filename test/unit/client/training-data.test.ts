import { afterEach, describe, expect, it } from 'vitest';
import { Connection } from '../../../src/client/connection.ts';
import { DataProcessor } from '../../../src/client/data-processor.ts';
import { prepareData, type TrainingDataOptions } from '../../../src/client/training-data.ts';
import { type AnsweringServer, answeringServer } from '../../support/answering-server.ts';

const id = 'd'.repeat(64);
let server: AnsweringServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** @returns what a request says of the data, and the rows that went out */
async function prepared(options: TrainingDataOptions) {
  server = await answeringServer(() => ({ status: 201, body: { dataset_id: id } }));
  const request = await prepareData(new Connection({ url: server.url, token: 't' }), 'model', options);
  return { request, rows: (server.asked[0]?.body as { rows?: unknown[] } | undefined)?.rows };
}

describe('the data of a training', () => {
  it('is X with y beside it', async () => {
    expect(
      await prepared({
        trainingData: [
          [{ a: 1 }, { a: 2 }],
          ['yes', 'no'],
        ],
      }),
    ).toEqual({
      request: { dataset_id: id, target: 'target' },
      rows: [
        { a: 1, target: 'yes' },
        { a: 2, target: 'no' },
      ],
    });
  });

  it('has validation rows last, and says what share they are', async () => {
    const { request, rows } = await prepared({
      trainingData: [{ a: [1, 2, 3] }, Int32Array.of(1, 0, 1)],
      validationData: [[{ a: 9 }], [0]],
      targetColumn: 'label',
    });
    expect(request).toEqual({ dataset_id: id, target: 'label', split: 'last', test_size: 0.25 });
    expect(rows).toEqual([
      { a: 1, label: 1 },
      { a: 2, label: 0 },
      { a: 3, label: 1 },
      { a: 9, label: 0 },
    ]);
  });

  it('is two records, not X and y', async () => {
    const trainingData = [
      { a: 1, risk: 'high' },
      { a: 2, risk: 'low' },
    ];
    expect(await prepared({ trainingData, targetColumn: 'risk', testSize: 0.4 })).toEqual({
      request: { dataset_id: id, target: 'risk', test_size: 0.4 },
      rows: trainingData,
    });
  });

  it('is a dataset that is there', async () => {
    expect(await prepared({ trainingData: { datasetId: id }, targetColumn: 'risk' })).toEqual({
      request: { dataset_id: id, target: 'risk' },
      rows: undefined,
    });
  });

  const X = Array.from({ length: 20 }, (_, a) => ({ a }));
  const y = X.map(({ a }) => a % 2);
  it.each<[string, TrainingDataOptions, RegExp]>([
    ['labels that are too few', { trainingData: [X, y.slice(1)] }, /20 rows in X and 19 labels in y/],
    ['no name of the target', { trainingData: X }, /targetColumn is missing/],
    ['a target that X has too', { trainingData: [X, y], targetColumn: 'a' }, /has a column "a"/],
    ['no rows', { trainingData: [[], []] }, /has no rows/],
    ['a thing', { trainingData: 7 as never, targetColumn: 'a' }, /must be \[X, y\]/],
    [
      'validation rows that are nearly all',
      {
        trainingData: [X, y],
        validationData: [
          [...X, ...X],
          [...y, ...y],
        ],
      },
      /40 of 60 rows; it must be 5 % to 50 %/,
    ],
    ['no validation rows', { trainingData: [X, y], validationData: [[], []] }, /0 of 20 rows/],
    [
      'validation rows and a share',
      { trainingData: [X, y], validationData: [X, y], testSize: 0.2 },
      /both say what is measured on/,
    ],
    [
      'validation rows of other columns',
      { trainingData: [X, y], validationData: [X.map(({ a }) => ({ A: a })), y] },
      /"a" is in trainingData and not in validationData/,
    ],
    [
      'validation rows of more columns',
      { trainingData: [X, y], validationData: [X.map(({ a }) => ({ a, b: a })), y] },
      /"b" is in validationData and not in trainingData/,
    ],
    [
      'validation rows beside a dataset',
      { trainingData: { datasetId: id }, targetColumn: 'a', validationData: [X, y] },
      /validationData goes with rows/,
    ],
    ['a file of another kind', { trainingData: { file: 'x.pkl' }, targetColumn: 'a' }, /must end in/],
    ['a file that is not there', { trainingData: { file: '/no/x.csv' }, targetColumn: 'a' }, /no such file/],
  ])('is refused before anything is sent: %s', async (_name, options, message) => {
    await expect(prepared(options)).rejects.toThrow(message);
    expect(server!.asked).toEqual([]);
  });
});

describe('trainTestSplit', () => {
  const processor = new DataProcessor();
  const X = Array.from({ length: 100 }, (_, i) => [i]);
  const y = X.map(([i]) => (i! < 10 ? 'rare' : 'common'));

  it('holds every row once, with its label, and is the same for the same seed', () => {
    const { XTrain, XTest, yTrain, yTest } = processor.trainTestSplit(X, y, { testSize: 0.3 });
    expect([XTest.length, yTest.length]).toEqual([30, 30]);
    const all = [...XTrain, ...XTest].map((row, i) => [row.x0, [...yTrain, ...yTest][i]]);
    expect(all.sort(([a], [b]) => Number(a) - Number(b))).toEqual(X.map(([i], at) => [i, y[at]]));
    expect(processor.trainTestSplit(X, y, { testSize: 0.3 }).XTest).toEqual(XTest);
    expect(processor.trainTestSplit(X, y, { testSize: 0.3, randomState: 7 }).XTest).not.toEqual(XTest);
  });

  it('keeps classes in proportion when it is asked to', () => {
    const { yTest } = processor.trainTestSplit(X, y, { testSize: 0.2, stratify: true });
    expect(yTest.filter((label) => label === 'rare')).toHaveLength(2);
    expect(yTest).toHaveLength(20);
  });

  it.each([
    [{ testSize: 0 }, /testSize=0 must be above 0/],
    [{ testSize: 0.001 }, /leaves the test part empty/],
    [{ testSize: 0.999 }, /leaves the train part empty/],
  ])('refuses %j', (options, message) => {
    expect(() => processor.trainTestSplit(X, y, options)).toThrow(message);
  });

  it('refuses labels that are too few', () => {
    expect(() => processor.trainTestSplit(X, ['a'])).toThrow(/100 rows and y 1 labels/);
  });
});
