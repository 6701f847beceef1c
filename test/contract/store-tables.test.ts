import { describe, expect, it } from 'vitest';
import { synthesize } from '../infra/support/synthesized-app.ts';
import { storeResources } from '../support/local-stores.ts';

describe('the tables of the contract suites', () => {
  const { templates } = synthesize({ stage: 'local' });
  const deployed = Object.entries(templates.data!.Resources);
  const found = (logicalId: string) => {
    const hits = deployed.filter(
      ([id, { Type }]) =>
        id.startsWith(logicalId) && /^AWS::(DynamoDB::(Global)?Table|S3::Bucket)$/.test(Type),
    );
    expect([logicalId, hits.length]).toEqual([logicalId, 1]);
    return hits[0]![1].Properties;
  };

  it.each(Object.keys(storeResources).filter((name) => name.endsWith('Table')))(
    'has the keys, indexes and expiry of %s in the data stack',
    (name) => {
      const ours = storeResources[name as keyof typeof storeResources].Properties as Record<string, unknown>;
      const theirs = found(name);
      for (const property of ['KeySchema', 'TimeToLiveSpecification']) {
        expect([property, theirs[property]]).toEqual([property, ours[property]]);
      }
      expect(theirs.AttributeDefinitions).toEqual(
        expect.arrayContaining(ours.AttributeDefinitions as unknown[]),
      );
      const indexes = (of: Record<string, unknown>) =>
        ((of.GlobalSecondaryIndexes ?? []) as Record<string, unknown>[]).map(
          ({ IndexName, KeySchema, Projection }) => ({ IndexName, KeySchema, Projection }),
        );
      expect(indexes(theirs)).toEqual(indexes(ours));
    },
  );

  it('has the versioning of the buckets', () => {
    expect(found('ArtifactBucket').VersioningConfiguration).toEqual({ Status: 'Enabled' });
    expect(found('StagingBucket').VersioningConfiguration).toBeUndefined();
    expect(found('ResultBucket').VersioningConfiguration).toBeUndefined();
    expect(found('PredictionBucket').VersioningConfiguration).toBeUndefined();
  });
});
