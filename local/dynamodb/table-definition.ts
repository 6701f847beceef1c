import type { DeployedResource } from '../template/deployed-template.ts';

interface KeyElement {
  readonly AttributeName: string;
  readonly KeyType: 'HASH' | 'RANGE';
}

/** What the local server keeps of an AWS::DynamoDB::Table or GlobalTable. */
export interface TableDefinition {
  readonly name: string;
  readonly partitionKey: string;
  readonly sortKey: string | undefined;
  /** Partition keys of the global secondary indexes, by index name. */
  readonly indexPartitionKeys: ReadonlyMap<string, string>;
  readonly timeToLiveAttribute: string | undefined;
  /** Input of CreateTable. */
  readonly createTable: object;
}

export function tableDefinition(resource: DeployedResource): TableDefinition {
  const {
    KeySchema,
    AttributeDefinitions,
    GlobalSecondaryIndexes,
    LocalSecondaryIndexes,
    TimeToLiveSpecification,
  } = resource.properties as Record<string, unknown>;
  const keys = KeySchema as KeyElement[];
  const indexes =
    (GlobalSecondaryIndexes as { IndexName: string; KeySchema: KeyElement[]; Projection: object }[]) ?? [];
  const timeToLive = TimeToLiveSpecification as { AttributeName: string; Enabled: boolean } | undefined;
  return {
    name: resource.physicalId,
    partitionKey: partitionKeyOf(keys),
    sortKey: keys.find((key) => key.KeyType === 'RANGE')?.AttributeName,
    indexPartitionKeys: new Map(indexes.map((index) => [index.IndexName, partitionKeyOf(index.KeySchema)])),
    timeToLiveAttribute: timeToLive?.Enabled === true ? timeToLive.AttributeName : undefined,
    createTable: {
      TableName: resource.physicalId,
      KeySchema: keys,
      AttributeDefinitions,
      BillingMode: 'PAY_PER_REQUEST',
      ...(indexes.length === 0
        ? {}
        : {
            GlobalSecondaryIndexes: indexes.map(({ IndexName, KeySchema: schema, Projection }) => ({
              IndexName,
              KeySchema: schema,
              Projection,
            })),
          }),
      ...(LocalSecondaryIndexes === undefined ? {} : { LocalSecondaryIndexes }),
    },
  };
}

function partitionKeyOf(keys: readonly KeyElement[]): string {
  return (keys.find((key) => key.KeyType === 'HASH') as KeyElement).AttributeName;
}
