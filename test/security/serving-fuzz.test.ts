import { describe, expect, it } from 'vitest';
import { BodyDamage } from '../support/damaged-bodies.ts';
import { slice } from '../support/proof.ts';
import { send, servingApp } from '../support/serving-call.ts';
import { built, MemoryServingStore } from '../support/serving-samples.ts';
import { tenantA } from '../support/tenants.ts';

const bodies = slice(1_000, 10_000);
/** What a process may grow by while it reads garbage for a while: heap that is not collected yet. */
const growthBytes = 96 * 1024 * 1024;

const row = {
  small: 1.5,
  large: 3e5,
  flag: true,
  when: '2021-06-01',
  city: '東京',
  constant: 3,
  never: null,
};
const values = Object.values(row);
const tensor = (name: string, datatype: string, data: unknown[]) => ({
  name,
  datatype,
  shape: [data.length, 1],
  data,
});
const inputs = [
  tensor('small', 'FP32', [1.5, -2]),
  tensor('flag', 'BOOL', [true, false]),
  tensor('when', 'INT64', [1704067200000, 0]),
  tensor('city', 'BYTES', ['plain', '東京']),
];
const head = Buffer.from(
  JSON.stringify({
    inputs: [
      { name: 'small', shape: [2, 1], datatype: 'FP32', parameters: { binary_data_size: 8 } },
      { name: 'city', shape: [2, 1], datatype: 'BYTES', parameters: { binary_data_size: 11 } },
    ],
    parameters: { binary_data_output: true },
  }),
);
const tail = Buffer.from([0, 0, 192, 63, 0, 0, 0, 192, 1, 0, 0, 0, 97, 2, 0, 0, 0, 98, 99]);
const binary = Buffer.concat([head, tail]);

interface Sent {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string | Uint8Array;
}
const json = { 'content-type': 'application/json' };

const dialects: Record<string, (damage: BodyDamage) => Sent> = {
  native: (damage) => {
    const forms: readonly [string, unknown][] = [
      ['/api/v1/ml/predict/income', { input_data: row }],
      ['/api/v1/ml/predict/income', { input_data: [row, values, {}], explain: 'shap' }],
      ['/api/v1/ml/predict/income/batch', { input_batch: [row, values, row], batch_size: 2 }],
      ['/api/ml/predict/income', row],
    ];
    const [path, good] = damage.pick(forms);
    return { path, headers: damage.headers(json), body: damage.text(good) };
  },
  'open inference': (damage) => {
    const path = damage.pick(['/v2/models/income/infer', '/v2/models/income/versions/1.0.0/infer']);
    if (damage.chance(0.3)) {
      const headers = damage.headers({ 'inference-header-content-length': String(head.length) });
      return { path, headers, body: damage.bytes(binary) };
    }
    const good = {
      id: 'x',
      inputs,
      outputs: [{ name: 'label' }, { name: 'probabilities', parameters: { binary_data: true } }],
    };
    return { path, headers: damage.headers(json), body: damage.text(damage.chance(0.5) ? good : { inputs }) };
  },
  scoring: (damage) => {
    const columns = Object.keys(row);
    const forms: readonly unknown[] = [
      { dataframe_split: { columns, data: [values, values] } },
      { dataframe_records: [row, row], params: { predict_method: 'predict_proba' } },
      { instances: [row, values] },
      { inputs: Object.fromEntries(columns.map((name, j) => [name, [values[j], values[j]]])) },
    ];
    const path = damage.pick(['/endpoints/income/invocations', '/invocations']);
    if (damage.chance(0.25)) {
      const text = `${columns.join(',')}\n1.5,3e5,true,2021-06-01,"東京, ""x""",3,\n-1,,,,,,\n`;
      return {
        path,
        headers: damage.headers({ 'content-type': 'text/csv' }),
        body: damage.bytes(Buffer.from(text)),
      };
    }
    return { path, headers: damage.headers(json), body: damage.text(damage.pick(forms)) };
  },
};

describe.each(Object.entries(dialects))('generated bodies in the %s dialect', (name, make) => {
  it(`are answered or refused, ${bodies} of them, and leave nothing behind`, async () => {
    const store = new MemoryServingStore();
    store.deploy(tenantA, 'income', '1.0.0', built('text', 1));
    const failures: unknown[] = [];
    const { app } = servingApp(store, {
      defaultModel: 'income',
      onFailure: (error, { code }) => {
        if (code === 'INTERNAL') failures.push(error);
      },
    });
    const damage = new BodyDamage(name.length);
    const statuses = new Map<number, number>();
    let baseline = 0;
    for (let i = 0; i < bodies; i++) {
      const sent = make(damage);
      const packed = damage.chance(0.03);
      const answer = await send(app, {
        ...{ method: 'POST', path: sent.path },
        body: packed ? damage.packed(sent.body) : sent.body,
        headers: packed ? { ...sent.headers, 'content-encoding': 'gzip' } : sent.headers,
      });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      expect(answer.status, `${String(sent.body).slice(0, 500)}\n${String(failures[0])}`).toBeLessThan(500);
      if (i === bodies >> 1) baseline = process.memoryUsage.rss();
    }
    // A fuzz that is always refused, or never, has not looked where it should.
    expect(statuses.get(200)).toBeGreaterThan(bodies / 20);
    expect(bodies - statuses.get(200)!).toBeGreaterThan(bodies / 20);
    expect(process.memoryUsage.rss() - baseline).toBeLessThan(growthBytes);
  });
});
