import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ListObjectVersionsCommand, S3Client } from '@aws-sdk/client-s3';
import { DynamoDBDocumentClient, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { owner, type World } from './world.ts';

/**
 * Everything that is stored of the owner, wherever the template and the catalog of the database have a place for it:
 * two of these are equal when nothing was changed in between.
 */
export async function ownerState({ running: { twin } }: World): Promise<Record<string, string[]>> {
  const settings = { region: 'us-east-1', credentials: twin.administrator };
  const documents = DynamoDBDocumentClient.from(
    new DynamoDBClient({ ...settings, endpoint: twin.endpoints.dynamodb }),
  );
  const s3 = new S3Client({ ...settings, endpoint: twin.endpoints.s3, forcePathStyle: true });
  const state: Record<string, string[]> = {};
  for (const { physicalId: TableName } of twin.template.ofType('AWS::DynamoDB::Table')) {
    const { Items = [] } = await documents.send(new ScanCommand({ TableName }));
    state[TableName] = Items.map((item) => JSON.stringify(Object.fromEntries(Object.entries(item).sort())))
      .filter((text) => text.includes(`tenant/${owner}/`) || text.includes(`"tenant":"${owner}"`))
      .sort();
  }
  for (const { physicalId: Bucket } of twin.template.ofType('AWS::S3::Bucket')) {
    const listed = await s3.send(new ListObjectVersionsCommand({ Bucket, Prefix: `tenants/${owner}/` }));
    const versions = (listed.Versions ?? []).map(({ Key, ETag, IsLatest }) => `${Key} ${ETag} ${IsLatest}`);
    const markers = (listed.DeleteMarkers ?? []).map(({ Key }) => `${Key} deleted`);
    state[Bucket] = [...versions, ...markers].sort();
  }
  const sql = twin.database.connect();
  try {
    const tables = await sql<{ table_name: string }[]>`
      SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id'`;
    for (const { table_name } of tables) {
      const rows = await sql`SELECT * FROM ${sql(table_name)} WHERE tenant_id = ${owner}`;
      state[table_name] = rows.map((row) => JSON.stringify(row)).sort();
    }
  } finally {
    await sql.end();
  }
  return state;
}

/** @returns what differs, a line each */
export function changesBetween(
  before: Readonly<Record<string, string[]>>,
  after: Readonly<Record<string, string[]>>,
): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((place) => {
    const [was, is] = [new Set(before[place]), new Set(after[place])];
    return [
      ...[...was].filter((line) => !is.has(line)).map((line) => `${place} lost ${line.slice(0, 200)}`),
      ...[...is].filter((line) => !was.has(line)).map((line) => `${place} got ${line.slice(0, 200)}`),
    ];
  });
}
