import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModelName } from '../../src/contracts/names.ts';
import { RegistryExport } from '../../src/contracts/registry.ts';
import type { ModelCatalog } from '../../src/registry/model-catalog.ts';
import type { ModelRegistry } from '../../src/registry/model-registry.ts';
import { importRegistry, type RegistryArchive } from '../../src/registry/registry-archive.ts';
import type { TenantContext } from '../../src/tenancy/tenant-context.ts';
import { type LocalRegistry, startLocalRegistry } from '../support/local-registry.ts';
import { registrationOf, sampleManifest } from '../support/samples.ts';
import { tenantA, tenantNamed } from '../support/tenants.ts';

let local: LocalRegistry;
let registry: ModelRegistry;
let catalog: ModelCatalog;
let archive: RegistryArchive;

beforeAll(async () => {
  local = await startLocalRegistry();
  ({ registry, catalog, archive } = local);
});
afterAll(() => local?.stop());

const model: LocalRegistry['newModel'] = (...of) => local.newModel(...of);
const shown = (name: ModelName, tenant = tenantA) => registry.model(tenant, name);
const refused = (work: Promise<unknown>, code: string) => expect(work).rejects.toMatchObject({ code });

describe('a registry as a document', () => {
  const there = new Set<string>();
  const artifacts = (tenant: TenantContext) => ({
    manifest: async (_: TenantContext, name: ModelName, buildId: string) =>
      there.has(buildId)
        ? registrationOf(tenant, sampleManifest({ model_name: name, build_id: buildId }))
        : undefined,
  });

  it('is taken in elsewhere with everything but what serves, and again without a change', async () => {
    const [from, to] = [tenantNamed('exporter'), tenantNamed('importer')];
    const name = await model(2, {}, from);
    await registry.deploy(from, name, '1.0.0');
    await catalog.setAlias(from, name, 'golden' as never, '1.1.0', {});
    await catalog.update(from, name, { description: 'to be moved', tags: { a: 'b' } }, {});
    const exported = await archive.export(from, { limit: 10 });
    const document = RegistryExport.parse({
      ...{ format: 'tenantml.registry', format_version: 1, exported_at: new Date().toISOString() },
      models: JSON.parse(JSON.stringify(exported.models)),
    });
    expect(document.models[0]).toMatchObject({ champion_version: '1.0.0' });
    // The bytes of the newer version only are here.
    there.add(document.models[0]!.versions[1]!.manifest.build_id);
    const parts = { archive, artifacts: artifacts(to) };
    expect(await importRegistry(to, document, parts)).toEqual({
      ...{ models_created: 1, versions_created: 2, versions_skipped: [] },
      versions_without_bytes: [`${name}/1.0.0`],
    });
    const taken = await shown(name, to);
    expect(taken).toMatchObject({ description: 'to be moved', tags: { a: 'b' }, n_versions: 2 });
    expect(taken.champion_version).toBeUndefined();
    await refused(registry.deploy(to, name, '1.0.0'), 'VERSION_NOT_VERIFIED');
    expect((await registry.deploy(to, name, 'golden')).champion).toMatchObject({ version: '1.1.0' });
    const before = await archive.export(to, { limit: 10 });
    expect(await importRegistry(to, document, parts)).toMatchObject({
      ...{ models_created: 0, versions_created: 0, versions_skipped: [`${name}/1.0.0`, `${name}/1.1.0`] },
    });
    expect(await archive.export(to, { limit: 10 })).toEqual(before);
  });

  it('that contradicts itself changes nothing', async () => {
    const tenant = tenantNamed('contradicted');
    const exported = await archive.export(tenantNamed('exporter'), { limit: 1 });
    const [one] = JSON.parse(JSON.stringify(exported.models)) as RegistryExport['models'];
    const parts = { archive, artifacts: artifacts(tenant) };
    const broken: Partial<RegistryExport['models'][number]>[] = [
      { versions: [one!.versions[0]!, one!.versions[0]!], aliases: [] },
      { model_name: 'other' as never },
      { versions: [] },
      { versions: [{ ...one!.versions[0]!, metrics: { accuracy: 7 } }], aliases: [] },
      // The next number would not fit, and the model take no version any more.
      { versions: [{ ...one!.versions[0]!, mlflow_version: 2 ** 31 - 1 }], aliases: [] },
      ...['1.0.0', 'golden', '', '../../../../bb/models/m/builds/x'].map((build_id) => ({
        versions: [{ ...one!.versions[0]!, manifest: { ...one!.versions[0]!.manifest, build_id } }],
        aliases: [],
      })),
      {
        versions: [
          {
            ...one!.versions[0]!,
            manifest: sampleManifest({
              model_name: one!.model_name,
              artifact: { format: 'onnx', sha256: '1.0.0', bytes: 1 },
            }),
          },
        ],
        aliases: [],
      },
    ];
    for (const over of broken) {
      const document = { models: [one!, { ...one!, ...over }] } as RegistryExport;
      await expect(importRegistry(tenant, document, parts)).rejects.toMatchObject({
        code: expect.stringMatching(/^(REGISTRY_DOCUMENT_INVALID|METRIC_OUT_OF_RANGE)$/),
      });
    }
    expect((await registry.list(tenant, { limit: 10 })).items).toEqual([]);
  });
});
