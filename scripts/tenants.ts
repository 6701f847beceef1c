/** Takes tenants in and removes them: calls the function of operators, on AWS or in the twin. */
import { parseArgs } from 'node:util';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';

const usage = `npm run tenants -- create TENANT [--plan NAME] [--admin-key NAME | --admin-subject SUB] [--stage STAGE]
npm run tenants -- agree TENANT [--plan NAME] [--limits JSON] [--stage STAGE]
npm run tenants -- offboard TENANT [--stage STAGE]

Credentials and region as for the AWS command line; for the twin: source .tenantml/aws.env, stage local.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    plan: { type: 'string' },
    limits: { type: 'string' },
    'admin-key': { type: 'string' },
    'admin-subject': { type: 'string' },
    stage: { type: 'string', default: 'local' },
  },
});
const [action, tenant] = positionals;
if (action === undefined || tenant === undefined) {
  process.stderr.write(`${usage}\n`);
  process.exit(2);
}

const lambda = new LambdaClient({});
const admin =
  values['admin-key'] === undefined
    ? values['admin-subject'] && { subject: values['admin-subject'] }
    : { api_key: values['admin-key'] };

async function call(): Promise<{ status?: string; again_at?: string }> {
  const payload = {
    ...{ action, tenant, plan: values.plan, admin: admin || undefined },
    ...(values.limits === undefined ? {} : { limits: JSON.parse(values.limits) as object }),
  };
  const { Payload, FunctionError } = await lambda.send(
    new InvokeCommand({
      FunctionName: `tenantml-${values.stage}-tenants`,
      Payload: JSON.stringify(payload),
    }),
  );
  const answer = JSON.parse(Payload!.transformToString()) as Record<string, string>;
  if (FunctionError !== undefined) throw new Error(`${answer.errorType}: ${answer.errorMessage}`);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
  return answer;
}

try {
  for (;;) {
    const { status, again_at } = await call();
    if (status === undefined || status === 'empty') break;
    const waitMs = again_at === undefined ? 0 : Math.max(0, Date.parse(again_at) - Date.now());
    if (waitMs > 0) process.stderr.write(`goes on at ${again_at}; may be ended and called again later\n`);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
} catch (error) {
  process.stderr.write(`error: ${(error as Error).message}\n`);
  process.exitCode = 1;
}
