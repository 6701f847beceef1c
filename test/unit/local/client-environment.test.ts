import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { clientEnvironment } from '../../../local/aws/client-environment.ts';

it('gives a shell what every AWS client reads, whatever it calls the region', () => {
  const script = clientEnvironment(
    { accessKeyId: 'id', secretAccessKey: 'se/cret', sessionToken: 'to+ken=' },
    { AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1' },
  );
  const { stdout } = spawnSync('sh', ['-c', `${script}env`], {
    env: { PATH: process.env.PATH },
    encoding: 'utf8',
  });
  const variables = Object.fromEntries(stdout.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
  expect(variables).toMatchObject({
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'id',
    AWS_SECRET_ACCESS_KEY: 'se/cret',
    AWS_SESSION_TOKEN: 'to+ken=',
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
  });
});
