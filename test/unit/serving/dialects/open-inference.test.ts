import { deflateSync, gunzipSync, gzipSync, inflateSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ServingApp } from '../../../../src/serving/http/serving-app.ts';
import { UnauthenticatedError } from '../../../../src/tenancy/tenant-context.ts';
import { send, servingApp } from '../../../support/serving-call.ts';
import { buildOf, built, MemoryServingStore } from '../../../support/serving-samples.ts';
import { tenantA } from '../../../support/tenants.ts';

const classifier = built('text', 1);
const regressor = built('numeric', 3);
const infer = '/v2/models/income/infer';
let store: MemoryServingStore;
let app: ServingApp;

beforeEach(() => {
  store = new MemoryServingStore();
  store.deploy(tenantA, 'income', '1.0.0', classifier);
  store.deploy(tenantA, 'amount', '2.0.0', regressor);
  app = servingApp(store).app;
});

type Output = {
  name: string;
  shape: number[];
  datatype: string;
  data: unknown[];
  parameters?: { binary_data_size: number };
};
const outputsOf = (json: unknown) => (json as { outputs: Output[] }).outputs;
const tensor = (name: string, datatype: string, data: unknown[], shape = [data.length, 1]) => ({
  name,
  datatype,
  shape,
  data,
});
const inputs = [
  tensor('small', 'FP32', [1.5, -2]),
  tensor('flag', 'BOOL', [true, false]),
  tensor('when', 'INT64', [1704067200000, 0]),
  tensor('city', 'BYTES', ['plain', '東京']),
];
const records = [
  { small: 1.5, flag: true, when: 1704067200000, city: 'plain' },
  { small: -2, flag: false, when: 0, city: '東京' },
];

/** A body as Triton's client sends it: JSON, then the tensors. */
function binaryBody(
  tensors: { name: string; datatype: string; shape: number[]; bytes: Buffer }[],
  more: object = {},
) {
  const head = Buffer.from(
    JSON.stringify({
      inputs: tensors.map(({ bytes, ...about }) => ({
        ...about,
        parameters: { binary_data_size: bytes.length },
      })),
      ...more,
    }),
  );
  return {
    body: Buffer.concat([head, ...tensors.map(({ bytes }) => bytes)]),
    headers: { 'inference-header-content-length': String(head.length) },
  };
}
const texts = (...all: string[]) =>
  Buffer.concat(
    all.map((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return Buffer.concat([length, bytes]);
    }),
  );
const le = (values: number[], write: (buffer: Buffer, value: number, at: number) => void, width: number) => {
  const buffer = Buffer.alloc(values.length * width);
  values.forEach((value, i) => void write(buffer, value, i * width));
  return buffer;
};

describe('health and metadata', () => {
  it('say that the server lives, is ready, and reads binary tensors', async () => {
    expect((await send(app, { path: '/v2/health/live' })).json).toEqual({ live: true });
    expect((await send(app, { path: '/v2/health/ready' })).json).toMatchObject({ ready: true });
    for (const path of ['/v2', '/v2/']) {
      expect((await send(app, { path })).json).toEqual({
        ...{ name: 'tenantml', version: '9.9.9' },
        extensions: ['binary_tensor_data'],
      });
    }
    const unready = servingApp(store, { isReady: () => false }).app;
    expect(await send(unready, { path: '/v2/health/ready' })).toMatchObject({
      status: 503,
      json: { ready: false },
    });
  });

  it('say of a model what goes in and comes out', async () => {
    const { json } = await send(app, { path: '/v2/models/income' });
    expect(json).toMatchObject({ name: 'income', versions: ['1.0.0'], platform: 'onnx_onnxv1' });
    expect((json!.inputs as Output[]).find(({ name }) => name === 'when')).toEqual({
      ...{ name: 'when', datatype: 'INT64', shape: [-1, 1] },
    });
    expect(json!.outputs).toEqual([
      { name: 'label', datatype: 'BYTES', shape: [-1] },
      { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
    ]);
    const regression = await send(app, { path: '/v2/models/amount/versions/2.0.0' });
    expect(regression.json!.outputs).toEqual([{ name: 'prediction', datatype: 'FP32', shape: [-1, 1] }]);
  });

  it('say that a model is ready when it scores a row, and 404 when there is none', async () => {
    expect((await send(app, { path: '/v2/models/income/ready' })).json).toEqual({
      name: 'income',
      ready: true,
    });
    expect(await send(app, { path: '/v2/models/absent/ready' })).toMatchObject({
      ...{ status: 404, json: { error: expect.stringContaining('MODEL_NOT_FOUND') } },
    });
    expect(await send(app, { path: '/v2/models/income/versions/7/ready' })).toMatchObject({
      ...{ status: 404, json: { error: expect.stringContaining('1.0.0 does') } },
    });
  });
});

describe('infer', () => {
  it('answers what the native form answers, with the id that was sent', async () => {
    const answer = await send(app, { path: infer, body: { id: 'call-7', inputs } });
    const native = await send(app, { path: '/api/v1/ml/predict/income', body: { input_data: records } });
    const rows = native.json as unknown as { probabilities: number[]; prediction: string }[];
    expect(answer.json).toMatchObject({ model_name: 'income', model_version: '1.0.0', id: 'call-7' });
    expect(outputsOf(answer.json)).toEqual([
      { name: 'label', datatype: 'BYTES', shape: [2], data: rows.map(({ prediction }) => prediction) },
      {
        ...{ name: 'probabilities', datatype: 'FP32', shape: [2, 2] },
        data: rows.flatMap(({ probabilities }) => probabilities),
      },
    ]);
    expect((await send(app, { path: infer, body: { inputs } })).json).not.toHaveProperty('id');
  });

  it('takes nested data, rows of one size, a matrix of all features, and other widths of numbers', async () => {
    const [first] = outputsOf((await send(app, { path: infer, body: { inputs } })).json).slice(1);
    const same = async (sent: unknown) =>
      expect(outputsOf((await send(app, { path: infer, body: { inputs: sent } })).json)[1]).toEqual(first);
    await same(inputs.map(({ data, ...about }) => ({ ...about, data: data.map((one) => [one]) })));
    await same(inputs.map((one) => ({ ...one, shape: [2] })));
    await same([tensor('small', 'FP64', [1.5, -2]), tensor('flag', 'INT8', [1, 0]), inputs[2], inputs[3]]);
    await same([
      inputs[0],
      inputs[1],
      tensor('when', 'BYTES', ['2024-01-01', '1970-01-01T00:00:00Z']),
      inputs[3],
    ]);
    const numeric = await send(app, {
      path: '/v2/models/amount/infer',
      body: { inputs: [tensor('x', 'FP32', [1, 5, 1, 0, 0, 3, 0], [1, 7])] },
    });
    expect(numeric.status).toBe(200);
    const wrong = await send(app, { path: infer, body: { inputs: [tensor('x', 'FP32', [1, 2], [1, 2])] } });
    expect([wrong.status, wrong.json!.error]).toEqual([400, expect.stringContaining('the model takes 7')]);
  });

  it('gives the outputs that are asked for, in that order', async () => {
    const body = { inputs, outputs: [{ name: 'probabilities' }, { name: 'label' }] };
    const answer = await send(app, { path: infer, body });
    expect(outputsOf(answer.json).map(({ name }) => name)).toEqual(['probabilities', 'label']);
  });

  it('takes and gives binary tensors of every width', async () => {
    const whole = await send(app, { path: infer, body: { inputs } });
    const expected = outputsOf(whole.json)[1]!.data as number[];
    const int64 = Buffer.alloc(16);
    int64.writeBigInt64LE(1704067200000n, 0);
    const numbers: [string, Buffer][] = [
      ['FP16', Buffer.from([0x00, 0x3e, 0x00, 0xc0])],
      ['BF16', Buffer.from([0xc0, 0x3f, 0x00, 0xc0])],
      ['FP32', le([1.5, -2], (b, v, i) => b.writeFloatLE(v, i), 4)],
      ['FP64', le([1.5, -2], (b, v, i) => b.writeDoubleLE(v, i), 8)],
    ];
    const flags: [string, Buffer][] = [
      ['BOOL', Buffer.from([1, 0])],
      ['UINT8', Buffer.from([1, 0])],
      ['INT16', le([1, 0], (b, v, i) => b.writeInt16LE(v, i), 2)],
      ['UINT32', le([1, 0], (b, v, i) => b.writeUInt32LE(v, i), 4)],
      ['UINT64', le([1, 0], (b, v, i) => b.writeBigUInt64LE(BigInt(v), i), 8)],
    ];
    for (const [i, [datatype, bytes]] of numbers.entries()) {
      const [flagType, flagBytes] = flags[i % flags.length]!;
      const { body, headers } = binaryBody(
        [
          { name: 'small', datatype, shape: [2, 1], bytes },
          { name: 'flag', datatype: flagType, shape: [2, 1], bytes: flagBytes },
          { name: 'when', datatype: 'INT64', shape: [2, 1], bytes: int64 },
          { name: 'city', datatype: 'BYTES', shape: [2, 1], bytes: texts('plain', '東京') },
        ],
        { parameters: { binary_data_output: true } },
      );
      const answer = await send(app, { path: infer, body, headers });
      expect(answer.status, datatype).toBe(200);
      const length = Number(answer.headers['inference-header-content-length']);
      const bytesOut = answer.body as Buffer;
      const head = JSON.parse(bytesOut.subarray(0, length).toString()) as { outputs: Output[] };
      const [label, probabilities] = head.outputs;
      expect(label).not.toHaveProperty('data');
      const labelBytes = label!.parameters!.binary_data_size;
      expect(bytesOut.length).toBe(length + labelBytes + probabilities!.parameters!.binary_data_size);
      const values = expected.map((_, k) => bytesOut.readFloatLE(length + labelBytes + k * 4));
      expect(values).toEqual(expected);
    }
  });

  it('answers binary where asked, and JSON beside it', async () => {
    const outputs = [{ name: 'label' }, { name: 'probabilities', parameters: { binary_data: true } }];
    const answer = await send(app, { path: infer, body: { inputs, outputs } });
    const length = Number(answer.headers['inference-header-content-length']);
    const head = JSON.parse((answer.body as Buffer).subarray(0, length).toString()) as { outputs: Output[] };
    expect(head.outputs[0]!.data).toHaveLength(2);
    expect(head.outputs[1]!.parameters).toEqual({ binary_data_size: 16 });
  });

  it('takes NaN, null, the smallest int64 and empty text for missing', async () => {
    const int64 = Buffer.alloc(8);
    int64.writeBigInt64LE(-(2n ** 63n));
    const { body, headers } = binaryBody([
      {
        name: 'small',
        datatype: 'FP32',
        shape: [1, 1],
        bytes: le([Number.NaN], (b, v, i) => b.writeFloatLE(v, i), 4),
      },
      { name: 'when', datatype: 'INT64', shape: [1, 1], bytes: int64 },
      { name: 'city', datatype: 'BYTES', shape: [1, 1], bytes: texts('') },
    ]);
    const missing = await send(app, { path: infer, body: { inputs: [tensor('small', 'FP32', [null])] } });
    const answer = await send(app, { path: infer, body, headers });
    expect(outputsOf(answer.json)[1]).toEqual(outputsOf(missing.json)[1]);
  });

  it('reads and writes gzip and deflate', async () => {
    const body = JSON.stringify({ inputs: [tensor('small', 'FP32', new Array(300).fill(1))] });
    const plain = await send(app, { path: infer, body });
    for (const [encoding, pack, unpack] of [
      ['gzip', gzipSync, gunzipSync],
      ['deflate', deflateSync, inflateSync],
    ] as const) {
      const answer = await send(app, {
        path: infer,
        body: pack(body),
        headers: { 'content-encoding': encoding, 'accept-encoding': `${encoding}, br;q=0` },
      });
      expect(answer.headers['content-encoding']).toBe(encoding);
      const json = JSON.parse(unpack(answer.body as Uint8Array).toString());
      expect(outputsOf(json)).toEqual(outputsOf(plain.json));
    }
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024));
    const refused = await send(app, { path: infer, body: bomb, headers: { 'content-encoding': 'gzip' } });
    expect([refused.status, refused.json!.error]).toEqual([
      413,
      expect.stringContaining('PAYLOAD_TOO_LARGE'),
    ]);
  });

  const one = tensor('small', 'FP32', [1]);
  it.each<[string, unknown, string]>([
    ['no inputs', {}, 'inputs'],
    ['an empty list of inputs', { inputs: [] }, 'inputs'],
    ['an input that is none', { inputs: [5] }, 'inputs/0'],
    ['no name', { inputs: [{ ...one, name: undefined }] }, 'inputs/0/name'],
    ['an unknown name', { inputs: [{ ...one, name: 'smal' }] }, 'has no input "smal"'],
    ['a name twice', { inputs: [one, one] }, 'same name'],
    ['an unknown datatype', { inputs: [{ ...one, datatype: 'FLOAT' }] }, 'inputs/0/datatype'],
    ['no shape', { inputs: [{ ...one, shape: undefined }] }, 'inputs/0/shape'],
    ['a negative shape', { inputs: [{ ...one, shape: [-1, 1] }] }, 'inputs/0/shape'],
    ['a huge shape', { inputs: [{ ...one, shape: [2 ** 31, 2 ** 31] }] }, 'inputs/0/data'],
    ['a shape of nothing', { inputs: [{ ...one, shape: [0], data: [] }] }, 'no rows'],
    ['too few elements', { inputs: [{ ...one, shape: [2, 1] }] }, 'has 1 elements'],
    ['nesting deeper than the shape', { inputs: [{ ...one, data: [[[1]]] }] }, 'nested deeper'],
    ['lists beside elements', { inputs: [{ ...one, shape: [2, 1], data: [[1], 2] }] }, 'mixes'],
    ['no data', { inputs: [{ ...one, data: undefined }] }, 'inputs/0/data'],
    ['rows of two lengths', { inputs: [one, tensor('large', 'FP32', [1, 2])] }, 'it must be [1, 1]'],
    ['text for a number', { inputs: [{ ...one, data: ['1'] }] }, 'small must be a number'],
    ['BYTES for a number', { inputs: [tensor('small', 'BYTES', ['1'])] }, 'small must be'],
    ['BF16 in JSON', { inputs: [{ ...one, datatype: 'BF16' }] }, 'BF16'],
    ['an unknown output', { inputs: [one], outputs: [{ name: 'x' }] }, 'outputs/0/name'],
    ['an output twice', { inputs: [one], outputs: [{ name: 'label' }, { name: 'label' }] }, 'outputs/1/name'],
    [
      'more outputs than any graph has',
      { inputs: [one], outputs: Array.from({ length: 65 }, (_, i) => ({ name: `x${i}` })) },
      'at most 64',
    ],
    ['outputs that are none', { inputs: [one], outputs: 'x' }, 'outputs'],
    ['an id that is no text', { inputs: [one], id: 5 }, 'id'],
    [
      'binary data without any',
      { inputs: [{ ...one, data: undefined, parameters: { binary_data_size: 4 } }] },
      'are announced',
    ],
    ['no JSON', '{', 'INVALID_JSON'],
    ['a list', [], 'body'],
  ])('refuses %s in the form of the protocol', async (_, body, words) => {
    const answer = await send(app, { path: infer, body });
    expect([answer.status, answer.json]).toEqual([400, { error: expect.stringContaining(words) }]);
    expect(answer.headers['content-type']).toBe('application/json');
  });

  it('refuses binary tensors that do not add up', async () => {
    const float = { name: 'small', datatype: 'FP32', shape: [1, 1], bytes: Buffer.alloc(4) };
    const cases: [ReturnType<typeof binaryBody>, string][] = [
      [binaryBody([{ ...float, bytes: Buffer.alloc(3) }]), '3 bytes'],
      [
        binaryBody([
          { name: 'city', datatype: 'BYTES', shape: [1, 1], bytes: Buffer.from([9, 0, 0, 0, 65]) },
        ]),
        'ends after',
      ],
      [
        binaryBody([
          { name: 'city', datatype: 'BYTES', shape: [1, 1], bytes: Buffer.concat([texts('a'), texts('b')]) },
        ]),
        'are left',
      ],
      [
        binaryBody([
          { name: 'city', datatype: 'BYTES', shape: [1, 1], bytes: Buffer.from([1, 0, 0, 0, 0xff]) },
        ]),
        'not UTF-8',
      ],
    ];
    const { body, headers } = binaryBody([float]);
    cases.push([{ body: Buffer.concat([body, Buffer.alloc(2)]), headers }, '2 bytes follow']);
    cases.push([
      { body, headers: { 'inference-header-content-length': '99999' } },
      'Inference-Header-Content-Length',
    ]);
    cases.push([
      { body, headers: { 'inference-header-content-length': 'x' } },
      'Inference-Header-Content-Length',
    ]);
    for (const [call, words] of cases) {
      const answer = await send(app, { path: infer, ...call });
      expect([answer.status, answer.json!.error]).toEqual([400, expect.stringContaining(words)]);
    }
  });

  it('refuses more than a thousand rows, with the way to score more', async () => {
    const answer = await send(app, {
      path: infer,
      body: { inputs: [tensor('small', 'FP32', new Array(1_001).fill(1))] },
    });
    expect([answer.status, answer.headers.link]).toEqual([
      413,
      '</api/v1/ml/batch-predict>; rel="alternate"',
    ]);
    expect(answer.json!.error).toContain('batch-predict');
  });
});

describe('what clients send for nothing', () => {
  it('takes null for an id, parameters, outputs and data as if they were left out', async () => {
    const body = { id: null, parameters: null, outputs: null, inputs };
    const answer = await send(app, { path: infer, body });
    expect(answer.status).toBe(200);
    expect(answer.json).not.toHaveProperty('id');
    expect(outputsOf(answer.json).map(({ name }) => name)).toEqual(['label', 'probabilities']);
    const { body: bytes, headers } = binaryBody([
      { name: 'city', datatype: 'BYTES', shape: [1], bytes: texts('plain') },
    ]);
    const sent = bytes.toString('latin1').replace('"parameters"', '"data":null,"parameters"');
    const length = String(Number(headers['inference-header-content-length']) + '"data":null,'.length);
    const nullData = {
      body: Buffer.from(sent, 'latin1'),
      headers: { 'inference-header-content-length': length },
    };
    expect((await send(app, { path: infer, ...nullData })).status).toBe(200);
  });

  it('answers with all outputs where the list of those wanted is empty', async () => {
    const answer = await send(app, { path: infer, body: { outputs: [], inputs } });
    expect(outputsOf(answer.json)).toHaveLength(2);
  });

  it('takes the smallest INT64 for missing, in JSON as in binary', async () => {
    const smallest = Buffer.alloc(8);
    smallest.writeBigInt64LE(-(2n ** 63n));
    const binary = binaryBody([{ name: 'when', datatype: 'INT64', shape: [1], bytes: smallest }]);
    const json = '{"inputs":[{"name":"when","datatype":"INT64","shape":[1],"data":[-9223372036854775808]}]}';
    const missing = await send(app, { path: infer, body: { inputs: [tensor('when', 'INT64', [null])] } });
    expect(missing.status).toBe(200);
    for (const call of [binary, { body: json }])
      expect(outputsOf((await send(app, { path: infer, ...call })).json).at(-1)!.data).toEqual(
        outputsOf(missing.json).at(-1)!.data,
      );
  });
});

describe('integers beyond 2^53', () => {
  const odd = 2n ** 53n + 1n;
  const binaryOf = (name: string) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(odd);
    return { path: infer, ...binaryBody([{ name, datatype: 'INT64', shape: [1], bytes }]) };
  };
  const jsonOf = (name: string) => ({
    path: infer,
    body: `{"inputs":[{"name":"${name}","datatype":"INT64","shape":[1],"data":[${odd}]}]}`,
  });

  it('are rounded where the feature is a number, which the graph takes as float32', async () => {
    expect((await send(app, binaryOf('small'))).status).toBe(200);
    expect((await send(app, jsonOf('small'))).status).toBe(200);
  });

  it('are exact in binary where the feature is a category, and refused in JSON, which has rounded them', async () => {
    expect((await send(app, binaryOf('city'))).status).toBe(200);
    expect(await send(app, jsonOf('city'))).toMatchObject({
      ...{ status: 400, json: { error: expect.stringContaining('2^53') } },
    });
  });
});

it('takes a matrix of one column, whatever it is called, for the only feature of a model', async () => {
  const values = Float64Array.from({ length: 50 }, (_, i) => i);
  const table = {
    nRows: 50,
    columns: ['only', 'y'].map((name) => ({ name, type: 'number' as const, values })),
  };
  store.deploy(tenantA, 'narrow', '1.0.0', buildOf(table, 'regression', 'ridge'));
  const ask = (name: string, shape: number[]) =>
    send(app, {
      path: '/v2/models/narrow/infer',
      body: { inputs: [{ name, shape, datatype: 'FP32', data: [1, 2] }] },
    });
  const named = await ask('only', [2]);
  expect(named.status).toBe(200);
  expect(outputsOf((await ask('input-0', [2, 1])).json)).toEqual(outputsOf(named.json));
  expect((await ask('input-0', [2])).status).toBe(400);
  expect((await ask('input-0', [1, 2])).status).toBe(400);
});

describe('parameters.content_type', () => {
  const answerTo = (tensorType: string, requestType: string) =>
    send(app, {
      path: infer,
      body: {
        parameters: { content_type: requestType },
        inputs: inputs.map((one) => ({ ...one, parameters: { content_type: tensorType } })),
      },
    });

  it.each(['np', 'pd', 'str', 'datetime'])(
    '%s changes nothing: the features say what they take',
    async (type) => {
      const plain = await send(app, { path: infer, body: { inputs } });
      const { status, json } = await answerTo(type, 'pd');
      expect(status).toBe(200);
      expect(outputsOf(json)).toEqual(outputsOf(plain.json));
    },
  );

  it('is refused where it means another coding', async () => {
    const { status, json } = await answerTo('base64', 'np');
    expect([status, (json as unknown as { error: string }).error]).toEqual([
      400,
      expect.stringContaining('inputs/0/parameters/content_type: must be one of np, pd, str, datetime'),
    ]);
    expect((await answerTo('np', 'pil')).status).toBe(400);
  });
});

describe('HEAD', () => {
  it('is answered as GET is', async () => {
    for (const path of ['/v2/health/live', '/v2/models/income/ready', '/endpoints/income/ping'])
      expect((await send(app, { method: 'HEAD', path })).status).toBe(200);
    expect((await send(app, { method: 'HEAD', path: infer })).status).toBe(405);
  });
});

describe('a caller who is not known', () => {
  it('learns which scheme to use', async () => {
    const tenant = new UnauthenticatedError('UNAUTHENTICATED', 'who are you');
    const answer = await send(app, { path: infer, body: { inputs }, tenant });
    expect(answer).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
  });
});
