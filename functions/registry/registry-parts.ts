import { artifactStore } from '../../src/composition/artifacts.ts';
import { auditTrail } from '../../src/composition/audit.ts';
import { controlPlane } from '../../src/composition/control-plane.ts';
import { signingKeys } from '../../src/composition/signatures.ts';

export const registryParts = () => ({
  ...controlPlane(),
  artifacts: artifactStore(),
  trail: auditTrail(),
  keys: signingKeys(),
});
export type RegistryParts = ReturnType<typeof registryParts>;
