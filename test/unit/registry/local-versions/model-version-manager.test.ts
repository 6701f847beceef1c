import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { ModelStage } from '../../../../src/registry/local-versions/model-stage.ts';
import {
  createModelVersion,
  type ModelVersion,
} from '../../../../src/registry/local-versions/model-version.ts';
import { ModelVersionManager } from '../../../../src/registry/local-versions/model-version-manager.ts';

const folder = mkdtempSync(join(tmpdir(), 'tenantml-versions-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const version = (versionString: string, f1_score = 0.9, stage: ModelStage = 'Development'): ModelVersion =>
  createModelVersion({
    ...{ versionString, stage, metrics: { f1_score, rmse: f1_score } },
    ...{
      createdAt: '2026-01-31T12:00:00.000Z',
      framework: 'onnx',
      modelPath: `models/${versionString}.onnx`,
    },
  });
const managerOf = (...versions: ModelVersion[]) => {
  const manager = new ModelVersionManager();
  for (const one of versions) manager.registerVersion(one);
  return manager;
};
const stages = (manager: ModelVersionManager) =>
  Object.fromEntries(manager.listVersions().map(({ version: number, metadata }) => [number, metadata.stage]));

describe('ModelVersionManager', () => {
  it('gives back what was registered, newest first', () => {
    const manager = managerOf(version('1.9.0'), version('1.10.0'), version('1.0.0', 0.8, 'Staging'));
    expect(manager.listVersions().map(String)).toEqual(['1.10.0', '1.9.0', '1.0.0']);
    expect(manager.listVersions({ stage: ModelStage.STAGING }).map(String)).toEqual(['1.0.0']);
    expect(manager.getVersion('1.9.0')?.metadata.modelPath).toBe('models/1.9.0.onnx');
    expect(manager.getVersion('3.0.0')).toBeUndefined();
  });

  it('takes no number twice', () => {
    const manager = managerOf(version('1.0.0', 0.8));
    expect(() => manager.registerVersion(version('1.0.0', 0.9))).toThrow(/1\.0\.0 is registered already/);
    expect(manager.getVersion('1.0.0')?.metrics.get('f1_score')).toBe(0.8);
  });

  it('has one version in Production: its successor archives it', () => {
    const manager = managerOf(version('1.0.0', 0.8, 'Production'), version('1.1.0', 0.9, 'Production'));
    expect(stages(manager)).toEqual({ '1.0.0': 'Archived', '1.1.0': 'Production' });
    manager.registerVersion(version('1.2.0'));
    expect(() => manager.transitionStage('1.2.0', 'Production')).toThrow(/move it to Staging first/);
    manager.transitionStage('1.2.0', 'Staging');
    manager.transitionStage('1.2.0', 'Production');
    expect(stages(manager)).toEqual({ '1.0.0': 'Archived', '1.1.0': 'Archived', '1.2.0': 'Production' });
    expect(manager.getProductionVersion()?.version).toBe('1.2.0');
    expect(() => manager.transitionStage('9.0.0', 'Staging')).toThrow(/no version 9\.0\.0/);
  });

  it('takes a step that the stages have not by force', () => {
    const manager = managerOf(version('1.0.0'));
    manager.transitionStage('1.0.0', 'Production', { force: true });
    expect(stages(manager)).toEqual({ '1.0.0': 'Production' });
  });

  it.each([
    [0.009, false],
    [0.01, true],
  ])('promotes for an improvement of %d: %s', (improvement, promote) => {
    const manager = new ModelVersionManager();
    for (let thousandths = 0; thousandths < 980; thousandths++) {
      const current = thousandths / 1_000;
      const decision = manager.shouldPromote({
        newVersion: version('1.1.0', (thousandths + improvement * 1_000) / 1_000),
        currentVersion: version('1.0.0', current),
      });
      expect(decision).toMatchObject({
        promote,
        reason: expect.stringMatching(/^f1_score .* against .*1\.0\.0/),
      });
    }
  });

  it('knows metrics of which less is better, and that nothing is worse than something', () => {
    const manager = new ModelVersionManager();
    const [better, worse] = [version('1.1.0', 0.5), version('1.0.0', 0.9)];
    const decide = (newVersion: ModelVersion, currentVersion?: ModelVersion) =>
      manager.shouldPromote({ newVersion, currentVersion, metricName: 'rmse', improvementThreshold: 0.1 })
        .promote;
    expect([decide(better, worse), decide(worse, better), decide(worse)]).toEqual([true, false, true]);
  });

  it('archives all but the newest five of eight, and never Production', () => {
    const eight = Array.from({ length: 8 }, (_, i) => version(`1.${i}.0`));
    const manager = managerOf(...eight);
    expect(manager.archiveOldVersions({ keepLatest: 5 }).map(String)).toEqual(['1.2.0', '1.1.0', '1.0.0']);
    expect(manager.listVersions().filter(({ metadata }) => metadata.stage !== 'Archived')).toHaveLength(5);
    expect(manager.archiveOldVersions()).toEqual([]);

    const serving = managerOf(
      version('0.1.0', 0.9, 'Production'),
      ...Array.from({ length: 7 }, (_, i) => version(`1.${i}.0`)),
    );
    expect(serving.archiveOldVersions({ keepLatest: 5 }).map(String)).toEqual(['1.1.0', '1.0.0']);
    expect(stages(serving)['0.1.0']).toBe('Production');
    expect(() => serving.archiveOldVersions({ keepLatest: 0 })).toThrow(/keepLatest=0/);
  });

  it('is the same after it was saved and loaded', async () => {
    const file = join(folder, 'deep', 'versions.json');
    const manager = managerOf(version('1.0.0', 0.8, 'Production'), version('1.1.0'));
    await manager.save(file);
    expect(readdirSync(join(folder, 'deep'))).toEqual(['versions.json']);
    const loaded = await ModelVersionManager.load(file);
    expect(loaded.toJSON()).toEqual(manager.toJSON());
    expect(loaded.getProductionVersion()?.version).toBe('1.0.0');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({
      format: 'tenantml.versions',
      format_version: 1,
    });
  });

  it.each([
    ['nothing', undefined, /cannot be read \(ENOENT\)/],
    ['half a file', '{"format":', /not JSON/],
    ['another format', '{"format":"tenantml.registry","format_version":1,"versions":[]}', /\/format/],
    [
      'an accuracy of 2',
      JSON.stringify(managerOf(version('1.0.0')).toJSON()).replace('"f1_score":0.9', '"f1_score":2'),
      /f1_score=2/,
    ],
    [
      'a number that is none',
      JSON.stringify(managerOf(version('1.0.0')).toJSON()).replace('"version":"1.0.0"', '"version":"one"'),
      /MAJOR\.MINOR\.PATCH/,
    ],
  ])('does not load %s', async (name, text, message) => {
    const file = join(folder, `${name.replaceAll(' ', '-')}.json`);
    if (text !== undefined) writeFileSync(file, text);
    const loading = ModelVersionManager.load(file);
    await expect(loading).rejects.toMatchObject({ code: 'VERSIONS_FILE_INVALID' });
    await expect(loading).rejects.toThrow(message);
  });
});
