import { createPublicKey, verify } from 'node:crypto';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KmsServer } from '../../../local/kms/kms-server.ts';
import { SignedKms } from '../../../src/adapters/aws/signed-kms.ts';
import { isSigned, manifestStatement } from '../../../src/contracts/manifest-statement.ts';
import { allow, Fixture, role, STACK } from '../local-support/fixture.ts';

const keyArn = (logicalId: string) => ({ 'Fn::GetAtt': [logicalId, 'Arn'] });
const statement = { tenantId: 'aa', modelName: 'income', buildId: 'b1', manifestSha256: '1'.repeat(64) };

let fixture: Fixture;
let server: KmsServer;
let endpoint: string;

const opened = async () => {
  const kms = new KmsServer({
    directory: join(fixture.directory, 'kms'),
    registry: fixture.registry,
    onFailure: fixture.onFailure,
  });
  endpoint = await kms.start();
  kms.deploy(fixture.template.ofType('AWS::KMS::Key'), fixture.authorizer);
  return kms;
};

/** The platform's own client, with the credentials of a role. */
function as(roleName: string, keyId = `${STACK}-Signing`) {
  const { accessKeyId, secretAccessKey, sessionToken } = fixture.credentials(roleName);
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  });
  return new SignedKms({ region: 'us-east-1', endpoint, keyId: () => keyId });
}

beforeAll(async () => {
  fixture = new Fixture({
    Signing: {
      Type: 'AWS::KMS::Key',
      Properties: { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY', Description: 'manifests' },
    },
    Encryption: { Type: 'AWS::KMS::Key', Properties: { EnableKeyRotation: true } },
    Signer: role(allow('kms:Sign', [keyArn('Signing'), keyArn('Encryption')])),
    Reader: role(allow(['kms:GetPublicKey', 'kms:DescribeKey'], keyArn('Signing'))),
  });
  server = await opened();
});
afterAll(async () => {
  await server.stop();
  expect(fixture.failures).toEqual([]);
  fixture.remove();
});

describe('KMS of the twin', () => {
  it('signs what the public key verifies, and nothing else', async () => {
    const signature = await as('Signer').sign(statement);
    expect(signature).toMatchObject({ key_id: `${STACK}-Signing`, algorithm: 'ECDSA_SHA_256' });
    const { keyId, publicKey } = await as('Reader').publicKey();
    expect(keyId).toBe(signature.key_id);
    const key = createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' });
    expect(key.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
    expect(isSigned(statement, key, signature.signature)).toBe(true);
    expect(isSigned({ ...statement, tenantId: 'bb' }, key, signature.signature)).toBe(false);
    // As any tool would verify it, without a line of ours but the statement.
    const der = Buffer.from(signature.signature, 'base64');
    expect(verify('sha256', manifestStatement(statement), key, der)).toBe(true);
  });

  it('lets a role do what its policies say', async () => {
    await expect(as('Reader').sign(statement)).rejects.toMatchObject({ name: 'AccessDeniedException' });
    await expect(as('Signer').publicKey()).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });

  it('signs with no key that encrypts, and with none that is not there', async () => {
    await expect(as('Signer', `${STACK}-Encryption`).sign(statement)).rejects.toMatchObject({
      name: 'InvalidKeyUsageException',
    });
    await expect(as('Signer', 'nobody').sign(statement)).rejects.toMatchObject({ name: 'NotFoundException' });
  });

  it('takes a key by its ARN as by its id', async () => {
    const [key] = fixture.template.ofType('AWS::KMS::Key');
    const byArn = await as('Reader', key!.attribute('Arn')).publicKey();
    expect(byArn).toEqual(await as('Reader').publicKey());
  });

  it('keeps a key over a restart, readable by its owner only', async () => {
    const before = await as('Reader').publicKey();
    await server.stop();
    server = await opened();
    expect(await as('Reader').publicKey()).toEqual(before);
    expect(statSync(join(fixture.directory, 'kms', `${STACK}-Signing.pem`)).mode & 0o777).toBe(0o600);
  });
});
