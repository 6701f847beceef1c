import { createHash, randomBytes } from 'node:crypto';
import { request as httpRequest, type OutgoingHttpHeaders } from 'node:http';
import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningTwin, runTwin, trainSample } from '../support/running-twin.ts';

/** What the gateway makes of the bytes of clients: it hands on text as text and everything else as base64. */
let running: RunningTwin;
let token: string;

beforeAll(async () => {
  running = await runTwin();
  token = await running.twin.issueToken('acme');
  expect((await trainSample(running.client('acme'), 'risk')).status).toBe('completed');
});
afterAll(() => running?.stop());

interface Answer {
  readonly status: number;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: Buffer;
}

/** Sends exactly these headers: `fetch` adds a type, and unpacks what comes back. */
const send = (
  path: string,
  body: Buffer,
  headers: OutgoingHttpHeaders = {},
  method = 'POST',
): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      `${running.twin.url}${path}`,
      { method, headers: { authorization: `Bearer ${token}`, 'content-length': body.length, ...headers } },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () =>
          resolve({ status: incoming.statusCode!, headers: incoming.headers, body: Buffer.concat(chunks) }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });

const tensor = (name: string, datatype: string, bytes: Buffer, nRows: number) => ({
  about: { name, datatype, shape: [nRows, 1], parameters: { binary_data_size: bytes.length } },
  bytes,
});
const text = (value: string) => {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(value));
  return Buffer.concat([length, Buffer.from(value)]);
};
const float = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
};

/** Rows of every datatype, in the form of the binary tensor extension. */
function binaryCall(nRows: number) {
  const rows = Array.from({ length: nRows }, (_, i) => ({
    amount: (i * 37) % 101,
    country: ['DE', 'FR', 'Größe €'][i % 3]!,
    is_new: i % 2 === 0,
  }));
  const tensors = [
    tensor('amount', 'FP32', Buffer.concat(rows.map(({ amount }) => float(amount))), nRows),
    tensor('country', 'BYTES', Buffer.concat(rows.map(({ country }) => text(country))), nRows),
    tensor('is_new', 'BOOL', Buffer.from(rows.map((row) => Number(row.is_new))), nRows),
  ];
  const head = Buffer.from(
    JSON.stringify({
      inputs: tensors.map(({ about }) => about),
      parameters: { binary_data_output: true },
    }),
  );
  return {
    rows,
    body: Buffer.concat([head, ...tensors.map(({ bytes }) => bytes)]),
    headers: { 'inference-header-content-length': String(head.length) },
  };
}

interface Output {
  readonly name: string;
  readonly parameters: { readonly binary_data_size: number };
}

/** Probabilities of an answer with binary outputs. */
function probabilitiesOf({ headers, body }: { headers: Answer['headers']; body: Buffer }): number[] {
  const headLength = Number(headers['inference-header-content-length']);
  const { outputs } = JSON.parse(body.subarray(0, headLength).toString()) as { outputs: Output[] };
  let at = headLength;
  for (const { name, parameters } of outputs) {
    const bytes = body.subarray(at, at + parameters.binary_data_size);
    at += bytes.length;
    if (name === 'probabilities')
      return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
  }
  throw new Error('no probabilities');
}

describe('binary tensors', () => {
  const packings = [
    ['neither way', undefined, undefined],
    ['with gzip both ways', 'gzip', 'gzip'],
    ['with deflate both ways', 'deflate', 'deflate'],
  ] as const;

  it.each(packings)('pass the gateway %s, with no content type', async (_, sent, wanted) => {
    const { rows, body, headers } = binaryCall(300);
    const packedBody = sent === 'gzip' ? gzipSync(body) : sent === 'deflate' ? deflateSync(body) : body;
    const answer = await send('/v2/models/risk/infer', packedBody, {
      ...headers,
      ...(sent === undefined ? {} : { 'content-encoding': sent }),
      ...(wanted === undefined ? {} : { 'accept-encoding': wanted }),
    });
    expect([answer.status, answer.headers['content-encoding']]).toEqual([200, wanted]);
    const unpacked =
      wanted === 'gzip'
        ? gunzipSync(answer.body)
        : wanted === 'deflate'
          ? inflateSync(answer.body)
          : answer.body;
    const native = await send('/api/v1/ml/predict/risk', Buffer.from(JSON.stringify({ input_data: rows })), {
      'content-type': 'application/json',
    });
    const expected = JSON.parse(native.body.toString()) as { probabilities: number[] }[];
    expect(probabilitiesOf({ headers: answer.headers, body: unpacked })).toEqual(
      expected.flatMap(({ probabilities }) => probabilities.map(Math.fround)),
    );
  });

  it('are refused in the protocol when they end early, and so are extensions that the platform has not', async () => {
    const { body, headers } = binaryCall(3);
    const cut = await send('/v2/models/risk/infer', body.subarray(0, -1), headers);
    const extension = await send('/v2/repository/index', Buffer.from('{}'));
    for (const [answer, status] of [
      [cut, 400],
      [extension, 404],
    ] as const) {
      // Clients compare the whole value.
      expect([answer.status, answer.headers['content-type']]).toEqual([status, 'application/json']);
      expect(JSON.parse(answer.body.toString())).toEqual({ error: expect.any(String) });
    }
  });
});

it('knows an API key as bearer and as the password of a client that knows only passwords', async () => {
  const key = `tml_${randomBytes(24).toString('hex')}`;
  const table = running.twin.template
    .ofType('AWS::DynamoDB::Table')
    .find(({ logicalId }) => logicalId.startsWith('Access'))!;
  const client = new DynamoDBClient({
    ...{ region: 'us-east-1', endpoint: running.twin.endpoints.dynamodb },
    credentials: running.twin.administrator,
  });
  const hash = createHash('sha256').update(key).digest('hex');
  await DynamoDBDocumentClient.from(client).send(
    new PutCommand({
      TableName: table.physicalId,
      Item: { pk: `api-key/${hash}/`, sk: 'key/', tenant: 'acme', role: 'service' },
    }),
  );
  const csv = Buffer.from('amount,country\n9,US\n1,\n');
  const basic = (password: string) => `Basic ${Buffer.from(`any:${password}`).toString('base64')}`;
  const status = async (authorization: string) =>
    (await send('/endpoints/risk/invocations', csv, { 'content-type': 'text/csv', authorization })).status;
  expect(await status(`Bearer ${key}`)).toBe(200);
  expect(await status(basic(key))).toBe(200);
  expect(await status(basic(`${key}0`))).toBe(401);
});
