import { arn } from '../aws/account.ts';
import { AwsServiceError } from '../aws/service-error.ts';
import type { TableDefinition } from './table-definition.ts';

/** One thing that must be allowed for a request to go through. */
export interface RequiredAccess {
  readonly action: string;
  readonly resource: string;
  /** Values of `dynamodb:LeadingKeys`; undefined for calls that name no partition, such as Scan. */
  readonly leadingKeys: string[] | undefined;
}

type Input = Record<string, unknown>;
type AttributeValue = Record<string, unknown>;

/** What DynamoDB would check for a request: action, table or index ARN, and the partition keys it touches. */
export function requiredAccess(
  operation: string,
  input: Input,
  tables: ReadonlyMap<string, TableDefinition>,
): RequiredAccess[] {
  switch (operation) {
    case 'GetItem':
    case 'DeleteItem':
    case 'UpdateItem':
      return [itemAccess(operation, tableOf(input.TableName, tables), [input.Key])];
    case 'PutItem':
      return [itemAccess(operation, tableOf(input.TableName, tables), [input.Item])];
    case 'Query':
      return [queryAccess(input, tableOf(input.TableName, tables))];
    case 'Scan':
    case 'DescribeTable':
    case 'DescribeTimeToLive':
      return [
        {
          action: `dynamodb:${operation}`,
          resource: resourceArn(nameOf(input.TableName), input.IndexName),
          leadingKeys: undefined,
        },
      ];
    case 'ListTables':
      return [{ action: 'dynamodb:ListTables', resource: '*', leadingKeys: undefined }];
    case 'BatchGetItem':
      return Object.entries((input.RequestItems ?? {}) as Record<string, { Keys?: unknown[] }>).map(
        ([name, request]) => itemAccess(operation, tableOf(name, tables), request.Keys ?? []),
      );
    case 'BatchWriteItem':
      return Object.entries((input.RequestItems ?? {}) as Record<string, BatchWrite[]>).map(
        ([name, writes]) => {
          const keys = writes.map((write) => write.PutRequest?.Item ?? write.DeleteRequest?.Key);
          return itemAccess(operation, tableOf(name, tables), keys);
        },
      );
    default:
      throw new AwsServiceError(
        'UnknownOperationException',
        `${operation} is not part of the local DynamoDB (tables come from the template; transactions are not supported)`,
      );
  }
}

interface BatchWrite {
  readonly PutRequest?: { readonly Item?: unknown };
  readonly DeleteRequest?: { readonly Key?: unknown };
}

function itemAccess(operation: string, table: TableDefinition, items: readonly unknown[]): RequiredAccess {
  const keys = items.map((item) =>
    keyText((item as Record<string, AttributeValue> | undefined)?.[table.partitionKey]),
  );
  return {
    action: `dynamodb:${operation}`,
    resource: resourceArn(table.name, undefined),
    leadingKeys: [...new Set(keys.filter((key) => key !== undefined))],
  };
}

function queryAccess(input: Input, table: TableDefinition): RequiredAccess {
  const index = input.IndexName as string | undefined;
  const attribute = index === undefined ? table.partitionKey : table.indexPartitionKeys.get(index);
  const value = attribute === undefined ? undefined : partitionOfQuery(input, attribute);
  return {
    action: 'dynamodb:Query',
    resource: resourceArn(table.name, index),
    leadingKeys: value === undefined ? undefined : [value],
  };
}

/** The value that `KeyConditionExpression` demands of the partition key. */
function partitionOfQuery(input: Input, attribute: string): string | undefined {
  const names = (input.ExpressionAttributeNames ?? {}) as Record<string, string>;
  const values = (input.ExpressionAttributeValues ?? {}) as Record<string, AttributeValue>;
  for (const match of String(input.KeyConditionExpression ?? '').matchAll(/([#\w.-]+)\s*=\s*(:\w+)/g)) {
    const [, name, placeholder] = match as unknown as [string, string, string];
    if ((names[name] ?? name) === attribute) {
      return keyText(values[placeholder]);
    }
  }
  return undefined;
}

function keyText(value: AttributeValue | undefined): string | undefined {
  const text = value?.S ?? value?.N ?? value?.B;
  return text === undefined ? undefined : String(text);
}

function tableOf(reference: unknown, tables: ReadonlyMap<string, TableDefinition>): TableDefinition {
  const table = tables.get(nameOf(reference));
  if (table === undefined) {
    throw new AwsServiceError('ResourceNotFoundException', 'Requested resource not found');
  }
  return table;
}

/** Requests may name a table by its ARN. */
function nameOf(reference: unknown): string {
  const text = String(reference);
  return text.slice(text.lastIndexOf('/') + 1);
}

function resourceArn(table: string, index: unknown): string {
  return arn('dynamodb', `table/${table}${index === undefined ? '' : `/index/${index}`}`);
}
