import { SignedImportedGraphs } from '../adapters/aws/signed-imported-graphs.ts';
import type { SignedObjects } from '../adapters/aws/signed-objects.ts';
import { config } from '../config.ts';

/** @param objects where the files of graphs are */
export const importedGraphs = (
  objects: Pick<SignedObjects, 'link'>,
  options: { readonly rowsWithinMs?: number } = {},
) =>
  new SignedImportedGraphs({
    ...options,
    region: config.region,
    endpoint: config.endpoint('LAMBDA'),
    functionName: config.importedFunctionName,
    objects,
  });
