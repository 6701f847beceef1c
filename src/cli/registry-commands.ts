import { Argument, type Command, Option } from 'commander';
import type { HttpClient } from '../client/http-client.ts';
import { environments, type TrialEnvironment, trialEnvironments } from '../contracts/environment-names.ts';
import {
  archiveOld,
  compare,
  exportRegistry,
  importRegistry,
  moveStage,
  promote,
  rollBack,
  setAlias,
  showAudit,
  showCard,
  showEnvironments,
  showHistory,
  showLineage,
  withdraw,
} from './commands/registry.ts';

type Sub = (parent: Command, name: string, description: string) => Command;

/** Adds what speaks to the registry: below `models`, and `registry` and `audit`. */
export function addRegistryCommands(root: Command, models: Command, client: HttpClient, sub: Sub): void {
  // Options of the root may stand before or after the command's name.
  const all = (command: Command) => command.optsWithGlobals() as never;

  sub(models, 'stage', 'move a version to another stage')
    .argument('<name>')
    .argument('<version>', 'semver, integer, build id, sha256 or alias')
    .argument('<stage>', 'Development, Staging, Production, Archived or Failed')
    .option('--force', 'take a step that the state machine has not; it is recorded', false)
    .option('--reason <text>', 'kept with the step')
    .action((name: string, version: string, stage: string, _o, command: Command) =>
      moveStage(client, [name, version, stage], all(command)),
    );
  sub(models, 'alias', 'let a name stand for a version, or list the aliases of a model')
    .argument('<name>')
    .argument('[alias]', 'lower-case letters, digits, "_" and "-"')
    .argument('[version]')
    .option('--remove', 'remove the alias', false)
    .action((name: string, alias: string, version: string | undefined, _o, command: Command) =>
      setAlias(client, [name, alias, version], all(command)),
    );
  sub(models, 'rollback', 'deploy the version that served before')
    .argument('<name>')
    .option('--to <version>', 'another one that has served')
    .option('--reason <text>', 'kept in the history')
    .action((name: string, _o, command: Command) => rollBack(client, name, all(command)));
  sub(models, 'environments', 'show what development, staging and production serve')
    .argument('<name>')
    .action((name: string, _o, command: Command) => showEnvironments(client, name, all(command)));
  sub(models, 'withdraw', 'take a version out of development or staging')
    .argument('<name>')
    .addArgument(new Argument('<environment>').choices(trialEnvironments))
    .action((name: string, environment: TrialEnvironment, _o, command: Command) =>
      withdraw(client, [name, environment], all(command)),
    );
  sub(models, 'promote', 'deploy a version if it beats the champion')
    .argument('<name>')
    .argument('<version>')
    .option('--metric <name>', 'f1_score or r2, by the task, when left out')
    .option('--threshold <difference>', 'how much better it has to be', '0.01')
    .option('--force', 'skip the comparison; it is recorded', false)
    .option('--reason <text>', 'kept in the history')
    .action((name: string, version: string, _o, command: Command) =>
      promote(client, [name, version], all(command)),
    );
  sub(models, 'history', 'show what was deployed, newest first')
    .argument('<name>')
    .option('--at <time>', 'also say what was Production then, such as 2026-03-01T00:00:00Z')
    .addOption(new Option('--environment <name>', 'of this one only').choices(environments))
    .option('--limit <n>', 'how many', '20')
    .action((name: string, _o, command: Command) => showHistory(client, name, all(command)));
  sub(models, 'compare', 'show two versions beside each other')
    .argument('<name>')
    .argument('<a>')
    .argument('<b>')
    .action((name: string, a: string, b: string, _o, command: Command) =>
      compare(client, [name, a, b], all(command)),
    );
  sub(models, 'lineage', 'show where versions came from and went')
    .argument('<name>')
    .action((name: string, _o, command: Command) => showLineage(client, name, all(command)));
  sub(models, 'card', 'print the model card of a version as Markdown')
    .argument('<name>')
    .argument('[version]', 'the champion when left out', 'champion')
    .action((name: string, version: string, _o, command: Command) =>
      showCard(client, [name, version], all(command)),
    );
  sub(models, 'archive-old', 'archive all but the newest versions; never what serves or has an alias')
    .argument('<name>')
    .option('--keep <n>', 'how many stay', '5')
    .action((name: string, _o, command: Command) => archiveOld(client, name, all(command)));

  const registry = sub(root, 'registry', 'export and import models and versions as JSON');
  sub(registry, 'export', 'write everything but bytes into a file')
    .option('-o, --output <file>', 'file to write', 'versions.json')
    .action((_o, command: Command) => exportRegistry(client, all(command)));
  sub(registry, 'import', 'take in what an export holds; nothing is deployed')
    .argument('<file>')
    .action((file: string, _o, command: Command) => importRegistry(client, file, all(command)));
  sub(root, 'audit', 'show who changed what, when; with --json all of it, one entry a line')
    .option('--subject <model>', 'a model, or model/version')
    .option('--actor <name>')
    .option('--action <name>')
    .option('--from <time>')
    .option('--to <time>')
    .option('--limit <n>', 'how many', '50')
    .action((_o, command: Command) => showAudit(client, all(command)));
}
