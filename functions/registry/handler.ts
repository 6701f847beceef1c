import { httpFunction } from '../../src/composition/http-function.ts';
import { archiveOperations } from './archive.ts';
import { deploymentOperations } from './deployments.ts';
import { modelOperations } from './models.ts';
import { registryParts } from './registry-parts.ts';
import { versionOperations } from './versions.ts';

const parts = registryParts();

export const handler = httpFunction({
  ...modelOperations(parts),
  ...versionOperations(parts),
  ...deploymentOperations(parts),
  ...archiveOperations(parts),
});
