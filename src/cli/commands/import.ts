import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { sendFile } from '../../client/dataset-upload.ts';
import { followJob } from '../../client/follow-job.ts';
import type { HttpClient } from '../../client/http-client.ts';
import type { ImportUpload } from '../../contracts/imports.ts';
import type { Job } from '../../contracts/training.ts';
import { UsageError } from '../exit-code.ts';
import { bold, type Output, ProgressBar, print, printJson, table } from '../output.ts';

export interface ImportOptions extends Output {
  readonly name: string;
  readonly task?: 'classification' | 'regression';
  readonly classes?: string;
  readonly featureNames?: string;
  readonly featureNamesFile?: string;
  readonly framework?: string;
  readonly description?: string;
  readonly deploy: boolean;
}

/** Uploads an ONNX file, follows its import to the end, and says what was found in it. */
export async function importModel(client: HttpClient, file: string, options: ImportOptions): Promise<void> {
  const info = await stat(file).catch(() => undefined);
  if (info?.isFile() !== true) throw new UsageError(`${file}: no such file`);
  if (info.size === 0) throw new UsageError(`${file}: the file is empty`);
  const feature_names = await featureNames(options);
  const params = { model_name: options.name as never };
  const upload = (await client.call('createImport', {
    params,
    body: {
      size_bytes: info.size,
      content_digest: await digestOf(file),
      ...(options.task === undefined ? {} : { task: options.task }),
      ...(options.classes === undefined ? {} : { classes: options.classes.split(',') }),
      ...(feature_names === undefined ? {} : { feature_names }),
      ...(options.framework === undefined ? {} : { framework: options.framework as never }),
      ...(options.description === undefined ? {} : { description: options.description }),
      deploy: options.deploy,
    },
  })) as ImportUpload;
  const bar = new ProgressBar(options);
  await sendFile(file, upload, (bytes) => bar.update('upload', bytes / info.size));
  const { job_id } = await client.call('completeImport', {
    params: { ...params, upload_id: upload.upload_id },
  });
  const job = await followJob(client, job_id, bar);
  if (options.json) printJson(job);
  else if (!options.quiet) print(summaryOf(job));
}

async function featureNames({
  featureNames,
  featureNamesFile,
}: ImportOptions): Promise<string[] | undefined> {
  if (featureNames !== undefined && featureNamesFile !== undefined)
    throw new UsageError('give --feature-names or --feature-names-file, not both');
  if (featureNames !== undefined) return featureNames.split(',').map((name) => name.trim());
  if (featureNamesFile === undefined) return undefined;
  const text = await readFile(featureNamesFile, 'utf8').catch(() => {
    throw new UsageError(`${featureNamesFile}: no such file`);
  });
  return text
    .split(/\r?\n/)
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

/** As RFC 9530 writes it: what changes on the way is refused. */
async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return `sha-256=:${hash.digest('base64')}:`;
}

function summaryOf({ model_name, model_version, promotion, inspection }: Job): string {
  const { task, features, n_features, classes, signature, operators } = inspection!;
  const state = promotion?.decision === 'deploy' ? 'deployed' : 'kept, not deployed';
  const counted = Object.entries(operators).map(([name, n]) => `${name} ${n}`);
  return [
    `${bold(`${model_name} ${model_version}`)} imported, ${state}: ${promotion?.reasons.join('; ') ?? ''}`,
    '',
    table(
      ['feature', 'type', 'input of the graph'],
      features.map(({ name, type, input }) => [name, type, input]),
    ),
    ...(n_features > features.length ? [`… and ${n_features - features.length} more`] : []),
    '',
    table(
      ['output', 'type', 'shape', 'means'],
      signature.outputs.map(({ name, element_type, shape }) => [
        name,
        element_type,
        `[${shape.map((n) => (n < 0 ? 'N' : n)).join(', ')}]`,
        (['label', 'probabilities', 'prediction'] as const).find((role) => signature[role] === name),
      ]),
    ),
    '',
    `${task}${classes === undefined ? '' : ` of ${classes.join(', ')}`}; missing values are ${signature.accepts_missing ? 'taken' : 'refused'}; operators: ${counted.join(', ')}`,
  ].join('\n');
}
