import { pathToFileURL } from 'node:url';
import { TwinError } from './errors.ts';
import { startTwin, type Twin } from './twin.ts';

export { startTwin, type Twin, type TwinEndpoints, type TwinOptions } from './twin.ts';

async function main(): Promise<void> {
  const port = Number(process.env.TENANTML_PORT ?? '5000');
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new TwinError(
      'SETTING_INVALID',
      `TENANTML_PORT=${process.env.TENANTML_PORT} must be a port number`,
    );
  }
  const dataDir = process.env.TENANTML_DATA_DIR ?? '.tenantml';
  const slice = process.env.TENANTML_TRAINING_SLICE_SECONDS;
  const containers = process.env.TENANTML_SAGEMAKER_ENDPOINTS;
  const startedAt = performance.now();
  let twin: Twin | undefined;
  let stopping = false;
  const shutDown = (signal: NodeJS.Signals) => {
    // Asked twice, the user does not want to wait. Functions die with this process, PostgreSQL stops by itself.
    if (stopping) process.exit(130);
    stopping = true;
    process.stdout.write(`\n${signal}: stopping\n`);
    const done = twin === undefined ? Promise.resolve() : twin.stop();
    void done.then(() => process.exit(0));
  };
  process.on('SIGINT', shutDown);
  process.on('SIGTERM', shutDown);

  process.stdout.write('TenantML, the local twin\n');
  twin = await startTwin({
    port,
    dataDir,
    functionEnvironment: slice === undefined ? {} : { TRAINING_SLICE_SECONDS: slice },
    ...(containers === undefined ? {} : { sageMakerEndpoints: containers }),
  });
  if (stopping) {
    await twin.stop();
    process.exit(0);
  }
  const token = await twin.issueToken('demo');
  process.stdout.write(`
Ready in ${((performance.now() - startedAt) / 1000).toFixed(1)} s, data in ${dataDir}

  API            ${twin.url}
  documentation  ${twin.url}/docs
  tokens         curl -s ${twin.url}/_twin/identity/token -d tenant=demo

Try it:

  curl -s ${twin.url}/api/v1/ml/models -H 'authorization: Bearer ${token}'

  npx tenantml train FILE.csv --name my-model --target COLUMN
  npx tenantml predict my-model --input '{"column": 1}'

AWS clients reach the local servers after: source ${dataDir}/aws.env
Ctrl-C stops everything.
`);
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  main().catch((error: unknown) => {
    process.stderr.write(
      `${error instanceof TwinError ? `${error.code}: ${error.message}` : (error as Error).stack}\n`,
    );
    process.exit(1);
  });
}
