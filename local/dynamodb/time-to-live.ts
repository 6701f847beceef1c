import type { Dynalite } from './dynalite.ts';
import type { TableDefinition } from './table-definition.ts';

/**
 * Deletes items whose TTL attribute lies in the past. DynamoDB does so within days; readers must not rely on it
 * either way. Only numbers count, and each delete repeats the condition, because the item may have been renewed.
 */
export async function deleteExpired(
  dynalite: Dynalite,
  table: TableDefinition,
  nowSeconds: number,
): Promise<number> {
  const attribute = table.timeToLiveAttribute;
  if (attribute === undefined) {
    return 0;
  }
  const keyNames = [table.partitionKey, ...(table.sortKey === undefined ? [] : [table.sortKey])];
  const projection = Object.fromEntries(keyNames.map((name, i) => [`#k${i}`, name]));
  const values = { ':now': { N: String(nowSeconds) } };
  let deleted = 0;
  let start: unknown;
  do {
    const page = await dynalite.json('Scan', {
      TableName: table.name,
      FilterExpression: '#ttl < :now',
      ProjectionExpression: Object.keys(projection).join(', '),
      ExpressionAttributeNames: { ...projection, '#ttl': attribute },
      ExpressionAttributeValues: values,
      ...(start === undefined ? {} : { ExclusiveStartKey: start }),
    });
    for (const key of page.Items as object[]) {
      try {
        await dynalite.json('DeleteItem', {
          TableName: table.name,
          Key: key,
          ConditionExpression: '#ttl < :now',
          ExpressionAttributeNames: { '#ttl': attribute },
          ExpressionAttributeValues: values,
        });
        deleted += 1;
      } catch {
        // Renewed in between.
      }
    }
    start = page.LastEvaluatedKey;
  } while (start !== undefined);
  return deleted;
}
