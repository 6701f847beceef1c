import { type KeyObject, verify } from 'node:crypto';

/** What a signature says: this build of this model is this tenant's, and its manifest has this hash. */
export interface ManifestStatement {
  readonly tenantId: string;
  readonly modelName: string;
  readonly buildId: string;
  /** Of the manifest's bytes as they are stored. */
  readonly manifestSha256: string;
}

/**
 * The bytes that are signed. A signature over the manifest alone would hold wherever the manifest lies: copied below
 * another tenant's prefix, or under another model's name, it would still be a good one. So tenant, model and build are
 * part of what is signed. The first line keeps a signature of this key from meaning anything else; no part holds a line
 * break, so that no two statements are the same bytes.
 */
export function manifestStatement(statement: ManifestStatement): Buffer {
  const { tenantId, modelName, buildId, manifestSha256 } = statement;
  return Buffer.from(['tenantml manifest v1', tenantId, modelName, buildId, manifestSha256].join('\n'));
}

/** Whether the holder of the key has signed the statement. @param signature DER, in base64 */
export function isSigned(statement: ManifestStatement, publicKey: KeyObject, signature: string): boolean {
  return verify(
    'sha256',
    manifestStatement(statement),
    { key: publicKey, dsaEncoding: 'der' },
    // What is stored is not what the type says when somebody has written it by hand.
    Buffer.from(String(signature), 'base64'),
  );
}
