import { artifactStore } from '../../src/composition/artifacts.ts';
import { controlPlane } from '../../src/composition/control-plane.ts';

export const registryParts = () => ({ ...controlPlane(), artifacts: artifactStore() });
export type RegistryParts = ReturnType<typeof registryParts>;
