import packageJson from '../../package.json' with { type: 'json' };

/** @returns the versions that took part in making a model */
export const softwareVersions = (): Record<string, string> => ({
  tenantml: packageJson.version,
  'onnxruntime-node': packageJson.dependencies['onnxruntime-node'],
  '@duckdb/node-api': packageJson.dependencies['@duckdb/node-api'],
  node: process.versions.node,
});
