import { generateKeyPairSync, sign } from 'node:crypto';
import { type ManifestStatement, manifestStatement } from '../../src/contracts/manifest-statement.ts';
import type { ManifestSignature } from '../../src/contracts/models.ts';
import { SignedManifests } from '../../src/serving/manifest-signatures.ts';

/** A key as KMS would hold it, with the public half at hand. */
export function signingKey(keyId = 'key-1') {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const signed = (statement: ManifestStatement): ManifestSignature => ({
    ...{ key_id: keyId, algorithm: 'ECDSA_SHA_256' },
    signature: sign('sha256', manifestStatement(statement), privateKey).toString('base64'),
  });
  return { keyId, publicKey: der, signed, sign: async (statement: ManifestStatement) => signed(statement) };
}

/** Verifies by these keys. */
export const signaturesBy = (
  keys: readonly { readonly keyId: string; readonly publicKey: Uint8Array }[],
  unsigned?: 'refuse' | 'allow',
) =>
  new SignedManifests({
    unsigned,
    publicKey: async (keyId) => keys.find((one) => one.keyId === keyId)?.publicKey,
  });
