import type { SessionCredentials } from '../iam/credential-registry.ts';
import { REGION } from './account.ts';

/** Shell assignments by which the AWS CLI and SDKs reach the twin. */
export function clientEnvironment(
  credentials: SessionCredentials,
  endpoints: Record<string, string>,
): string {
  const variables = {
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION, // what version 1 of the AWS CLI and boto3 read
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_SESSION_TOKEN: credentials.sessionToken,
    ...endpoints,
  };
  return Object.entries(variables)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('');
}
