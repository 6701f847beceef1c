import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ImportRequest } from '../../../src/contracts/imports.ts';
import { describedImport } from '../../../src/imports/described-import.ts';
import { inspectModel } from '../../../src/ml/onnx/inspect/inspect-model.ts';
import type { Inspection } from '../../../src/ml/onnx/inspect/inspection.ts';
import { operators } from '../../../src/ml/onnx/inspect/walk-graph.ts';
import { modelName } from '../../support/tenants.ts';
import { FLOAT, treeClassifier, treeRegressor } from '../ml/onnx/brought-models.ts';
import { type ModelSketch, onnxFile } from '../ml/onnx/onnx-file.ts';

const found = (sketch: ModelSketch): Inspection => {
  const inspection = inspectModel(onnxFile(sketch));
  if (inspection.kind === 'refused') throw new Error(inspection.reason);
  return inspection;
};
const described = (sketch: ModelSketch, request: Record<string, unknown> = {}) =>
  describedImport(found(sketch), {
    ...ImportRequest.parse({ size_bytes: 1, ...request }),
    model_name: modelName('m'),
  });

describe('what is made of an inspection', () => {
  it('names features and classes as the graph does, or as the request says', () => {
    expect(described(treeClassifier)).toMatchObject({
      task: 'classification',
      classes: ['no', 'yes'],
      features: [0, 1, 2, 3].map((k) => ({ name: `x${k}`, type: 'number', input: `X[${k}]` })),
    });
    const renamed = described(treeClassifier, {
      classes: ['stays', 'goes'],
      feature_names: ['a', 'b', 'c', 'd'],
      feature_types: ['number', 'boolean', 'number', 'number'],
    });
    expect(renamed.classes).toEqual(['stays', 'goes']);
    expect(renamed.features[1]).toEqual({ name: 'b', type: 'boolean', input: 'X[1]' });
    expect(renamed.signature.graph_classes).toEqual(['no', 'yes']);
  });

  it('numbers the classes of probabilities that have no labels', () => {
    const softmax: ModelSketch = {
      inputs: [['input', FLOAT, ['N', 3]]],
      nodes: [{ op: 'Softmax', inputs: ['input'], outputs: ['output'], attributes: { axis: { int: 1 } } }],
      outputs: [['output', FLOAT, ['N', 3]]],
    };
    expect(described(softmax)).toMatchObject({ classes: [0, 1, 2], signature: { probabilities: 'output' } });
  });

  it.each<[string, ModelSketch, Record<string, unknown>, string]>([
    ['too few names', treeRegressor, { feature_names: ['a'] }, 'feature_names has 1 entries'],
    ['names given twice', treeRegressor, { feature_names: ['a', 'a', 'b'] }, 'same name'],
    ['texts for numbers', treeRegressor, { feature_types: ['category', 'number', 'number'] }, 'is category'],
    ['the other task', treeRegressor, { task: 'classification' }, 'which is no classification'],
    ['classes of a regression', treeRegressor, { classes: ['a', 'b'] }, 'for a regression'],
    ['more classes than columns', treeClassifier, { classes: ['a', 'b', 'c'] }, '3 classes were given'],
  ])('refuses %s, with what to do', (_, sketch, request, reason) => {
    expect(() => described(sketch, request)).toThrow(
      expect.objectContaining({
        code: 'IMPORT_REQUEST_MISMATCH',
        refusal: expect.objectContaining({
          reason: expect.stringContaining(reason),
          remedy: expect.any(String),
        }),
      }),
    );
  });

  it('refuses several targets in one output', () => {
    const wide: ModelSketch = {
      inputs: [['input', FLOAT, ['N', 3]]],
      nodes: [{ op: 'Relu', inputs: ['input'], outputs: ['output'] }],
      outputs: [['output', FLOAT, ['N', 3]]],
    };
    expect(() => described(wide)).toThrow(expect.objectContaining({ code: 'ONNX_SIGNATURE_NOT_SUPPORTED' }));
  });
});

it('the page on bringing models lists every operator that is taken, and no other', () => {
  const page = readFileSync(new URL('../../../docs/bring-your-own-model.md', import.meta.url), 'utf8');
  const listed = page.slice(page.indexOf('Operators of ai.onnx'), page.indexOf('Each has an entry'));
  const names = [...listed.matchAll(/`(\w+)`/g)].map(([, name]) => name);
  const taken = Object.values(operators).flatMap((table) => Object.keys(table));
  expect(names.sort()).toEqual(taken.sort());
});
