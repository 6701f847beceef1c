import { Command, CommanderError, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import { environments } from '../contracts/environment-names.ts';
import { batchPredict } from './commands/batch-predict.ts';
import { importModel } from './commands/import.ts';
import { cancelJob, listJobs, showJob } from './commands/jobs.ts';
import { deleteModel, deployModel, listModels, showModel } from './commands/models.ts';
import { predict } from './commands/predict.ts';
import { serve } from './commands/serve.ts';
import { train } from './commands/train.ts';
import { exitCode, exitCodeOf } from './exit-code.ts';
import { print, printJson } from './output.ts';
import { addRegistryCommands } from './registry-commands.ts';
import { session, tokenOfTwin } from './session.ts';
import { addTenantCommands } from './tenant-commands.ts';

const collect = (value: string, all: readonly string[]): string[] => [...all, value];

function program(json: boolean): Command {
  const root = new Command('tenantml')
    .description(
      'Train, register, deploy and serve models over HTTP. Speaks to TENANTML_URL with TENANTML_TOKEN; by default to the twin on this machine, as tenant demo.',
    )
    .version(packageJson.version)
    .option('--json', 'answer in JSON, one value a line', false)
    .option('--quiet', 'print results only', false)
    .exitOverride()
    // With --json, what is wrong with the command line is said below in JSON too.
    .configureOutput(json ? { writeErr: () => {} } : {})
    .showHelpAfterError('(--help shows the usage)');
  const client = session();
  // Options of the root may stand before or after the command's name.
  const all = (command: Command) => command.optsWithGlobals() as never;
  const sub = (parent: Command, name: string, description: string) =>
    parent
      .command(name)
      .description(description)
      .option('--json', 'answer in JSON, one value a line')
      .option('--quiet', 'print results only');

  sub(root, 'train', 'train a model on a file (.csv, .tsv, .jsonl, each also .gz, or .parquet)')
    .argument('<file>')
    .requiredOption('--name <name>', 'name of the model')
    .requiredOption('--target <column>', 'column to predict')
    .addOption(
      new Option('--type <type>', 'found from the target when left out').choices([
        'classification',
        'regression',
      ]),
    )
    .option(
      '--algorithm <name>',
      'gradient_boosting (default), another of docs/algorithms.md, or auto to let them race',
    )
    .option('--cv <folds>', 'cross-validate on so many folds of the training part, 2 to 20')
    .option('--cv-kind <kind>', 'stratified, kfold, group or time')
    .option('--group-column <column>', 'rows with one value of it stay in one fold')
    .option('--time-column <column>', 'folds follow each other in the order of it')
    .option('--search <method>', 'try other hyperparameters: grid, random or halving')
    .option('--candidates <n>', 'how many to try, 1 to 100 (default 20)')
    .option('--search-space <json>', "what to try, by hyperparameter; the algorithm's own when left out")
    .option('--param <name=value>', 'a hyperparameter; may be repeated', collect, [])
    .option(
      '--feature <column>',
      'learn from this column; may be repeated; all columns when left out',
      collect,
      [],
    )
    .option('--split <rule>', 'random (default), every_5th or last')
    .option('--test-size <fraction>', 'share of the test part, 0.05 to 0.5 (default 0.2)')
    .option('--min-samples <n>', 'refuse data with fewer rows (default 100)')
    .option('--random-state <n>', 'seed (default 42)')
    .option('--notes <text>', 'kept with the version')
    .option('--retrain-every-days <n>', 'train again on a schedule, 1 to 365; 0 ends it')
    .option('--no-promote', 'register only, do not deploy')
    .action((file: string, _options, command: Command) => train(client, file, all(command)));

  sub(root, 'predict', 'predict with the deployed version of a model')
    .argument('<name>')
    .option('--input <json>', 'one row, or a list of rows')
    .option('--file <file>', 'rows from a .json, .jsonl or .csv file; - is JSON from stdin')
    .addOption(
      new Option('--environment <name>', 'whose version answers; production when left out').choices(
        environments,
      ),
    )
    .action((name: string, _options, command: Command) => predict(client, name, all(command)));

  sub(root, 'batch-predict', 'score a dataset, or a file of any size, into a file')
    .argument('<name>')
    .argument('[file]', '.csv, .tsv, .jsonl, each also .gz, or .parquet; or give --dataset')
    .option('--dataset <id>', 'score a dataset that is there')
    .option('--model-version <version>', 'semver, integer, build id or sha256; the champion when left out')
    .addOption(
      new Option('--format <format>', 'of the result; csv when -o ends so, else parquet').choices([
        'csv',
        'parquet',
      ]),
    )
    .option('--include <column>', 'copy this column of the data; may be repeated', collect, [])
    .option('--include-all', 'copy all columns of the data', false)
    .option('--probabilities', 'a list of probabilities for each row', false)
    .option('-o, --output <file>', 'fetch the result into this file')
    .action((name: string, file: string | undefined, _options, command: Command) =>
      batchPredict(client, name, file, all(command)),
    );

  sub(root, 'import', 'bring a model as an ONNX file, from scikit-learn, PyTorch or anything')
    .argument('<file>')
    .requiredOption('--name <name>', 'name of the model')
    .option('--feature-names <names>', 'one a feature, with commas between them')
    .option('--feature-names-file <file>', 'one a feature, one a line')
    .option('--classes <labels>', 'in the order of the probabilities; those of the graph when left out')
    .addOption(
      new Option('--task <task>', 'read from the graph when left out').choices([
        'classification',
        'regression',
      ]),
    )
    .option(
      '--framework <name>',
      'scikit-learn, tensorflow, pytorch, xgboost, lightgbm, onnx (default) or other',
    )
    .option('--description <text>', 'kept with the version')
    .option('--deploy', 'send predictions to it when it has passed', false)
    .action((file: string, _options, command: Command) => importModel(client, file, all(command)));

  const models = sub(root, 'models', 'list, show, deploy and delete models');
  sub(models, 'list', 'list models').action((_options, command: Command) => listModels(client, all(command)));
  sub(models, 'show', 'show a model and its versions')
    .argument('<name>')
    .action((name: string, _options, command: Command) => showModel(client, name, all(command)));
  sub(models, 'deploy', 'send predictions to a version')
    .argument('<name>')
    .argument('<version>', 'semver, integer, build id, sha256, alias, or an environment for what it serves')
    .addOption(
      new Option('--environment <name>', 'where it is to serve').choices(environments).default('production'),
    )
    .option('--reason <text>', 'kept in the history of the environment')
    .option('--force', 'to staging, also what has failed; it is recorded', false)
    .action((name: string, version: string, _options, command: Command) =>
      deployModel(client, name, version, all(command)),
    );
  sub(models, 'delete', 'delete a version, its bytes included')
    .argument('<name>')
    .argument('[version]')
    .option('--all', 'every version, and the model', false)
    .option('--force', 'also when it is deployed: takes the model out of service', false)
    .action((name: string, version: string | undefined, _options, command: Command) =>
      deleteModel(client, name, version, all(command)),
    );
  models.action((_options, command: Command) => listModels(client, all(command)));

  addRegistryCommands(root, models, client, sub);

  const jobs = sub(root, 'jobs', 'list, show and cancel jobs').option('--limit <n>', 'how many', '20');
  sub(jobs, 'list', 'list jobs, newest first').action((_options, command: Command) =>
    listJobs(client, all(command)),
  );
  sub(jobs, 'show', 'show a job')
    .argument('<job>')
    .action((job: string, _options, command: Command) => showJob(client, job, all(command)));
  sub(jobs, 'cancel', 'cancel a job')
    .argument('<job>')
    .action((job: string, _options, command: Command) => cancelJob(client, job, all(command)));
  jobs.action((_options, command: Command) => listJobs(client, all(command)));

  sub(root, 'serve', 'serve models over HTTP from this process, in every dialect')
    .argument('[models...]', 'bring these from the platform first, and keep them current')
    .option('--models <folder>', 'where models lie: MODEL/VERSION/model.onnx and manifest.json', 'models')
    .option('--host <address>', 'address to listen on; 0.0.0.0 is every one', '127.0.0.1')
    .option('--port <n>', 'port to listen on', '8000')
    .option('--memory <mib>', 'memory for loaded models', '1024')
    .option('--refresh <seconds>', 'how often named models are looked up; 0 is never', '30')
    .option('--drain <seconds>', 'how long it says that it is not ready before it stops', '0')
    .action((names: string[], _options, command: Command) => serve(client, names, all(command)));

  addTenantCommands(root, { client, sub, all, collect });

  sub(root, 'token', "print a token of the twin's own issuer (twin only)")
    .requiredOption('--tenant <tenant>', 'tenant to act for')
    .option('--role <role>', 'role in the token')
    .option('--scope <scopes>', 'scopes that narrow the role, with spaces between them')
    .action(async (_options, command: Command) => {
      const { tenant, role, scope, json } = command.optsWithGlobals() as {
        tenant: string;
        role?: string;
        scope?: string;
        json: boolean;
      };
      const token = await tokenOfTwin(tenant, role, scope);
      if (json) printJson(token);
      else print(token.access_token);
    });
  return root;
}

/** @returns the exit code */
export async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  try {
    await program(json).parseAsync([...argv], { from: 'user' });
    return exitCode.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCode.ok;
      const detail = error.message.replace(/^error: /, '');
      if (json) process.stderr.write(`${JSON.stringify({ error: { code: 'USAGE', detail } })}\n`);
      return exitCode.usage;
    }
    const { message, code, problem } = error as { message: string; code?: string; problem?: unknown };
    const text = json
      ? JSON.stringify({ error: problem ?? { code: code ?? 'FAILED', detail: message } })
      : `error: ${message}`;
    process.stderr.write(`${text}\n`);
    return exitCodeOf(error);
  }
}
