import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job } from '../../src/contracts/training.ts';
import { type RunningTwin, runTwin, sampleRows } from '../support/running-twin.ts';

const bin = join(import.meta.dirname, '../../bin/tenantml.js');
const folder = mkdtempSync(join(tmpdir(), 'tenantml-cli-'));
let running: RunningTwin;

const csvOf = (rows: Record<string, unknown>[]): string =>
  [
    Object.keys(rows[0]!).join(','),
    ...rows.map((row) =>
      Object.values(row)
        .map((value) => value ?? '')
        .join(','),
    ),
  ].join('\n');
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

beforeAll(async () => {
  running = await runTwin();
});
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const run = (args: readonly string[], env: Record<string, string> = {}): Promise<Result> =>
  new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      [bin, ...args],
      { env: { PATH: process.env.PATH, TENANTML_URL: running.twin.url, ...env } },
      (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin?.end();
  });

describe('tenantml', () => {
  it('trains on a file and ends with one line of JSON that holds the job and its metrics', async () => {
    const path = file('sample.csv', csvOf(sampleRows(300)));
    const { code, stdout, stderr } = await run([
      'train',
      path,
      '--name',
      'risk',
      '--target',
      'risk',
      '--param',
      'n_estimators=15',
      '--split',
      'every_5th',
      '--json',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout.trim().split('\n')).toHaveLength(1);
    const job = JSON.parse(stdout) as Job;
    expect(job).toMatchObject({ status: 'completed', model_version: '1.0.0' });
    expect(Object.keys(job.metrics!)).toEqual(
      expect.arrayContaining(['accuracy', 'f1_score', 'roc_auc', 'precision', 'recall']),
    );
    expect(job.metrics!.n_samples).toBe(60);
  });

  it('trains a regression with another algorithm and prints a table for people', async () => {
    const path = file(
      'value.jsonl',
      sampleRows(200)
        .map((row) => JSON.stringify(row))
        .join('\n'),
    );
    const { code, stdout } = await run([
      'train',
      path,
      '--name',
      'value',
      '--target',
      'score',
      '--algorithm',
      'ridge',
    ]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/value 1\.0\.0.* trained in .* deployed/);
    expect(stdout).toMatch(/^r2 +0\.9/m);
  });

  it('lets candidates race, and prints the leaderboard and what the baselines make of the test part', async () => {
    const path = join(folder, 'sample.csv');
    const raced = await run([
      'train',
      path,
      '--name',
      'raced',
      '--target',
      'score',
      '--algorithm',
      'auto',
      '--cv',
      '3',
    ]);
    expect(raced.stderr).toBe('');
    expect(raced.stdout).toMatch(/raced 1\.0\.0.* trained with \w+ in .* deployed/);
    expect(raced.stdout).toMatch(/rank +candidate +settings +rmse \(folds\)/);
    expect(raced.stdout).toMatch(/^ *1 +\w+ .*(winner|tied)/m);
    expect(raced.stdout).toMatch(/baseline +defaults .*behind \(naive baseline\)/);
    expect(raced.stdout).toMatch(
      /metric \(test part\) +value +mean of 3 folds +± +naive \(test part\) +linear/,
    );
    const searched = await run([
      ...['train', path, '--name', 'searched', '--target', 'score', '--algorithm', 'ridge', '--json'],
      ...['--search', 'random', '--candidates', '3', '--cv', '4', '--cv-kind', 'kfold'],
    ]);
    const job = JSON.parse(searched.stdout) as Job;
    expect(job.leaderboard!.entries).toHaveLength(3);
    expect(job.cross_validation).toMatchObject({ kind: 'kfold', n_folds: 4 });
    const grouped = await run([
      ...['train', path, '--name', 'grouped', '--target', 'risk', '--json'],
      ...['--group-column', 'country', '--cv', '2', '--param', 'n_estimators=5'],
    ]);
    expect((JSON.parse(grouped.stdout) as Job).cross_validation).toMatchObject({ kind: 'group', n_folds: 2 });
  });

  it.each([
    ['--candidates without a search', ['--candidates', '3'], /--candidates belongs to --search/],
    ['a search space that is no JSON', ['--search', 'grid', '--search-space', 'C=1'], /not JSON/],
    ['a number of folds that is none', ['--cv', 'many'], /--cv many: must be a number/],
  ])('refuses before it uploads anything: %s', async (_name, options, message) => {
    const path = join(folder, 'sample.csv');
    const result = await run(['train', path, '--name', 'x', '--target', 'score', ...options]);
    expect([result.code, result.stdout]).toEqual([2, '']);
    expect(result.stderr).toMatch(message);
  });

  it('predicts for JSON, for a CSV file with more columns than the model has, and for many rows', async () => {
    const single = await run(['predict', 'risk', '--input', '{"amount": 9, "country": "US"}', '--json']);
    expect(JSON.parse(single.stdout)).toMatchObject({ prediction: 'high', model_version: '1.0.0' });
    const rows = sampleRows(1_200);
    const path = file('many.csv', csvOf(rows.map((row) => ({ ...row, comment: 'x' }))));
    const many = await run(['predict', 'risk', '--file', path, '--json']);
    const answers = JSON.parse(many.stdout) as { prediction: string }[];
    expect(answers).toHaveLength(1_200);
    const right = answers.filter(({ prediction }, i) => prediction === rows[i]!.risk).length;
    const misspelt = await run(['predict', 'risk', '--file', file('misspelt.csv', 'Amount,Country\n9,US\n')]);
    expect(misspelt).toMatchObject({ code: 1, stderr: expect.stringMatching(/did you mean "amount"/) });
    // Always saying the more frequent label would be right for two thirds.
    expect(right / 1_200).toBeGreaterThan(0.9);
  });

  it('scores a file, or a dataset that is there, into a file or behind a link', async () => {
    const output = join(folder, 'scored.csv');
    const path = join(folder, 'many.csv');
    const scored = await run([
      ...['batch-predict', 'risk', path, '--include', 'amount', '-o', output, '--json'],
    ]);
    expect({ code: scored.code, stderr: scored.stderr }).toEqual({ code: 0, stderr: '' });
    const job = JSON.parse(scored.stdout) as Job;
    expect(job).toMatchObject({ kind: 'batch', status: 'completed', model_version: '1.0.0' });
    const [header, ...lines] = readFileSync(output, 'utf8').trim().split('\n');
    expect(header).toBe('amount,prediction,confidence,prediction_error');
    const online = JSON.parse((await run(['predict', 'risk', '--file', path, '--json'])).stdout) as {
      prediction: string;
    }[];
    expect(lines.map((line) => line.split(',')[1])).toEqual(online.map(({ prediction }) => prediction));

    const linked = await run(['batch-predict', 'risk', '--dataset', job.dataset_id!, '--probabilities']);
    expect(linked.stdout).toMatch(/^model +risk 1\.0\.0$/m);
    expect(linked.stdout).toMatch(/^rows +1200$/m);
    const url = /^link +(\S+)/m.exec(linked.stdout)![1]!;
    expect(
      Buffer.from(await (await fetch(url)).bytes())
        .subarray(0, 4)
        .toString(),
    ).toBe('PAR1');
    expect((await run(['jobs', 'show', job.job_id])).stdout).toMatch(/^rows +\{"done":1200,"total":1200\}$/m);

    const quiet = await run([
      ...['batch-predict', 'risk', '--dataset', job.dataset_id!, '--model-version', '1.0.0'],
      ...['-o', join(folder, 'all.parquet'), '--include-all', '--quiet'],
    ]);
    expect([quiet.code, quiet.stdout, existsSync(join(folder, 'all.parquet'))]).toEqual([0, '', true]);
  });

  it('lists, shows, deploys and deletes models, and shows jobs', async () => {
    const path = join(folder, 'sample.csv');
    await run(['train', path, '--name', 'risk', '--target', 'risk', '--no-promote', '--quiet']);
    expect((await run(['models'])).stdout).toMatch(/risk +1\.0\.0 +1\.1\.0 +2 /);
    expect((await run(['models', 'deploy', 'risk', '1.1.0'])).stdout).toContain('risk 1.1.0 is deployed');
    expect((await run(['models', 'show', 'risk'])).stdout).toMatch(/\* +1\.1\.0 +Production/);
    expect((await run(['models', 'delete', 'risk', '1.0.0', '--json'])).stdout).toContain(
      '"status":"deleted"',
    );
    const jobs = JSON.parse((await run(['jobs', '--json'])).stdout) as Job[];
    expect(jobs[0]).toMatchObject({ kind: 'training', model_name: 'risk', status: 'completed' });
    expect((await run(['jobs', 'show', jobs[0]!.job_id])).stdout).toContain(jobs[0]!.job_id);
  });

  it('says in JSON what is wrong with the command line, when asked for JSON', async () => {
    const { code, stderr } = await run(['fly', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: 'USAGE', detail: expect.stringMatching(/fly/) },
    });
  });

  it('gives a token that works', async () => {
    const { stdout } = await run(['token', '--tenant', 'demo']);
    expect((await run(['models', '--json'], { TENANTML_TOKEN: stdout.trim() })).code).toBe(0);
  });

  it.each<[string, () => Promise<Result>, number, RegExp]>([
    ['an unknown command', () => run(['fly']), 2, /unknown command/],
    ['a missing option', () => run(['train', 'x.csv', '--name', 'x']), 2, /--target/],
    [
      'a file that is not there',
      () => run(['train', '/nowhere/x.csv', '--name', 'x', '--target', 'y']),
      2,
      /no such file/,
    ],
    [
      'a file of another kind',
      () => run(['train', 'x.pkl', '--name', 'x', '--target', 'y']),
      2,
      /must end in/,
    ],
    ['nothing to score', () => run(['batch-predict', 'risk']), 2, /either a file or --dataset/],
    ['a file to score of another kind', () => run(['batch-predict', 'risk', 'x.pkl']), 2, /must end in/],
    [
      'a model to score with that is not there',
      () => run(['batch-predict', 'absent', join(folder, 'sample.csv')]),
      5,
      /no deployed model absent/,
    ],
    [
      'a file to score that lacks a feature',
      () => run(['batch-predict', 'risk', file('narrow.csv', 'amount,Country\n9,US\n')]),
      1,
      /lacks 4 of the 5 .*"country" \(nearest: "Country"\)/,
    ],
    ['input that is no JSON', () => run(['predict', 'risk', '--input', '{']), 2, /not JSON/],
    ['a token that is none', () => run(['models'], { TENANTML_TOKEN: 'x' }), 4, /token is not valid/],
    ['a model that is not there', () => run(['models', 'show', 'absent']), 5, /no model absent/],
    [
      'a column that is not there',
      () => run(['train', join(folder, 'sample.csv'), '--name', 'x', '--target', 'absent']),
      1,
      /no column "absent"/,
    ],
    [
      'a misspelt hyperparameter',
      () =>
        run([
          'train',
          join(folder, 'sample.csv'),
          '--name',
          'x',
          '--target',
          'risk',
          '--param',
          'n_estimator=3',
        ]),
      1,
      /n_estimators/,
    ],
    [
      'nobody at the address',
      () => run(['models'], { TENANTML_URL: 'http://127.0.0.1:9' }),
      1,
      /nothing answers/,
    ],
    [
      'a job that fails',
      () => run(['train', file('few.csv', csvOf(sampleRows(50))), '--name', 'x', '--target', 'risk']),
      1,
      /INSUFFICIENT_SAMPLES/,
    ],
  ])('ends with the right code and says what is wrong: %s', async (_name, attempt, code, message) => {
    const result = await attempt();
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(message);
    expect(result.stdout).toBe('');
  });
});
