import type { ManifestStatement } from '../contracts/manifest-statement.ts';
import type { ManifestSignature } from '../contracts/models.ts';

/** Has the deployment's key sign a statement; the key itself is nowhere that code runs. */
export interface ManifestSigner {
  sign(statement: ManifestStatement): Promise<ManifestSignature>;
}
