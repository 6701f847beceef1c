import { beforeEach, describe, expect, it } from 'vitest';
import type { Explanation, Prediction } from '../../../src/contracts/prediction.ts';
import type { ServingApp } from '../../../src/serving/http/serving-app.ts';
import { send, servingApp } from '../../support/serving-call.ts';
import { type Built, buildOf, MemoryServingStore } from '../../support/serving-samples.ts';
import { tenantA } from '../../support/tenants.ts';
import { randomTable } from '../ml/support/random-table.ts';

const rows = [
  { small: 1.5, large: 3e5, flag: true, when: '2021-06-01', city: '東京' },
  { small: -1, city: 'never seen', when: null },
  {},
];
const path = '/api/v1/ml/predict/model';
let store: MemoryServingStore;
let app: ServingApp;

beforeEach(() => {
  store = new MemoryServingStore();
  app = servingApp(store).app;
});

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

/** Each score as its explanation adds up to. */
const scoresOf = ({ base_values, values }: Explanation) =>
  base_values.map((base, k) => Object.values(values).reduce((sum, one) => sum + one[k]!, base));

/** From scores to the prediction or the probabilities. */
function expectedOf(explanation: Explanation): number[] {
  const scores = scoresOf(explanation);
  if (explanation.scale === 'prediction') return scores;
  if (explanation.scale === 'log_prediction') return scores.map(Math.exp);
  if (explanation.scale === 'log_odds') return [1 - sigmoid(scores[0]!), sigmoid(scores[0]!)];
  if (explanation.scale === 'probability') return scores.length === 1 ? [1 - scores[0]!, scores[0]!] : scores;
  const exponentials = scores.map((score) => Math.exp(score - Math.max(...scores)));
  const total = exponentials.reduce((sum, one) => sum + one, 0);
  return exponentials.map((one) => one / total);
}

const models: [string, () => Built][] = [
  [
    'boosting of two classes',
    () => buildOf(randomTable({ target: 'text' }), 'classification', 'gradient_boosting'),
  ],
  [
    'boosting of three classes',
    () => buildOf(randomTable({ target: 'multiclass' }), 'classification', 'gradient_boosting'),
  ],
  ['boosting of numbers', () => buildOf(randomTable(), 'regression', 'gradient_boosting')],
  [
    'a forest',
    () =>
      buildOf(randomTable({ target: 'multiclass' }), 'classification', 'random_forest', { n_estimators: 10 }),
  ],
  [
    'logistic regression',
    () => buildOf(randomTable({ target: 'text' }), 'classification', 'logistic_regression'),
  ],
  ['ridge', () => buildOf(randomTable(), 'regression', 'ridge')],
];

describe('explanations at predict time', () => {
  it.each(models)('of %s add up to what is predicted', async (_, build) => {
    store.deploy(tenantA, 'model', '1.0.0', build());
    const answer = await send(app, { path, body: { input_data: rows, explain: 'shap' } });
    expect(answer.status, JSON.stringify(answer.json)).toBe(200);
    for (const result of answer.json as unknown as (Prediction & { explanation: Explanation })[]) {
      const predicted = result.probabilities ?? [result.prediction as number];
      // Probabilities and predictions are float32: seven digits.
      for (const [k, value] of expectedOf(result.explanation).entries()) {
        expect(Math.abs(value - predicted[k]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(predicted[k]!)));
      }
      expect(Object.keys(result.explanation.values)).toEqual([
        ...['small', 'large', 'flag', 'when', 'city', 'constant', 'never'],
      ]);
    }
  });

  it('come by the query as well, and from memory the second time', async () => {
    store.deploy(tenantA, 'model', '1.0.0', models[0]![1]());
    const ask = (more: object) => send(app, { path, body: { input_data: rows[0] }, ...more });
    expect((await ask({ query: { explain: 'shap' } })).json).toHaveProperty('explanation');
    expect((await ask({})).json).not.toHaveProperty('explanation');
    await ask({ query: { explain: 'shap' } });
    expect(store.asked.filter((one) => one === 'explainer')).toHaveLength(1);
    const alias = await send(app, {
      ...{ path: '/api/ml/predict/model', body: rows[0], query: { explain: 'shap' } },
    });
    expect(alias.json!.prediction).toHaveProperty('explanation');
  });

  it('are refused for another method, and for a version that kept nothing to explain it by', async () => {
    const built = models[5]![1]();
    store.deploy(tenantA, 'model', '1.0.0', built);
    const lime = await send(app, { path, body: { input_data: rows[0], explain: 'lime' } });
    expect([lime.status, lime.json!.code]).toEqual([422, 'VALIDATION_FAILED']);
    const { explainer: _, ...manifest } = built.manifest;
    store.deploy(tenantA, 'model', '1.1.0', { ...built, manifest }, { revision: 2 });
    const bare = servingApp(store).app;
    const none = await send(bare, { path, body: { input_data: rows[0], explain: 'shap' } });
    expect([none.status, none.json!.code]).toEqual([422, 'EXPLANATION_NOT_AVAILABLE']);
  });

  it('are not made of bytes that changed', async () => {
    const built = models[5]![1]();
    const explainer = Buffer.from(built.explainer);
    explainer[explainer.length - 9]! ^= 1;
    store.deploy(tenantA, 'model', '1.0.0', { ...built, explainer });
    const answer = await send(app, { path, body: { input_data: rows[0], explain: 'shap' } });
    expect([answer.status, answer.json!.code]).toEqual([500, 'ARTIFACT_DAMAGED']);
  });
});
