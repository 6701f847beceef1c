import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exportOnnx } from '../../../../src/ml/onnx/export-onnx.ts';
import { inspectModel } from '../../../../src/ml/onnx/inspect/inspect-model.ts';
import type { Inspection } from '../../../../src/ml/onnx/inspect/inspection.ts';
import type { Refusal } from '../../../../src/ml/onnx/inspect/refusal.ts';
import { everyAlgorithm, fewTrees, fitted } from '../support/fitting.ts';
import { randomTable } from '../support/random-table.ts';
import { goodModels, treeClassifier } from './brought-models.ts';
import { onnxFile } from './onnx-file.ts';
import { otherFormats } from './other-formats.ts';
import { oversizedGraphs } from './oversized-graphs.ts';
import { unsoundContent } from './unsound-content.ts';
import { unsoundGraphs } from './unsound-graphs.ts';

const hostileFiles = [...otherFormats, ...unsoundGraphs, ...oversizedGraphs, ...unsoundContent];

const accepted = (bytes: Uint8Array): Inspection => {
  const result = inspectModel(bytes);
  if (result.kind === 'refused') throw new Error(`${result.code}: ${result.reason}`);
  return result;
};

describe('inspecting a model', () => {
  it.each(hostileFiles)('refuses %s', (_, code, bytes) => {
    const before = process.memoryUsage().rss;
    const result = inspectModel(bytes) as Refusal;
    expect(result).toMatchObject({ kind: 'refused', code });
    expect(result.reason.length).toBeGreaterThan(10);
    expect(result.remedy.length).toBeGreaterThan(10);
    // No file here is larger than a few megabytes, whatever it claims.
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  it('names the command that exports to ONNX for whatever was pickled', () => {
    for (const [name, code, bytes] of otherFormats) {
      if (code !== 'MODEL_PICKLED') continue;
      const { remedy } = inspectModel(bytes) as Refusal;
      expect(remedy, name).toMatch(name.includes('torch') ? /torch\.onnx\.export/ : /skl2onnx/);
    }
  });

  it('tries more than a hundred files', () => {
    expect(hostileFiles.length).toBeGreaterThan(160);
  });

  it('refuses a model cut short anywhere but between its parts', () => {
    for (const sketch of Object.values(goodModels)) {
      const whole = onnxFile(sketch);
      for (let length = 0; length < whole.length; length++) {
        const result = inspectModel(whole.subarray(0, length));
        // Without the classical opset, which comes last, a model that does not use it is whole.
        if (result.kind === 'accepted') expect(length).toBe(whole.length - 16);
      }
    }
  });

  it('answers for any damage, and accepts none that makes a tensor of another size', () => {
    const files = Object.values(goodModels).map(onnxFile);
    const damage = fc.record({
      file: fc.nat(files.length - 1),
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 }),
    });
    fc.assert(
      fc.property(damage, ({ file, at, bytes }) => {
        const damaged = files[file]!.slice();
        const from = Math.floor(at * damaged.length);
        damaged.set(bytes.subarray(0, damaged.length - from), from);
        const result = inspectModel(damaged);
        if (result.kind === 'accepted') {
          expect(result.bytesPerRow).toBeLessThan(2 ** 24);
          for (const { shape } of [...result.inputs, ...result.outputs])
            for (const size of shape) expect(Number.isSafeInteger(size) && size >= -1).toBe(true);
        } else expect(result.code).toMatch(/^(ONNX|MODEL)_[A-Z_]+$/);
      }),
      { numRuns: 4_000, seed: 13 },
    );
  });
});

describe('a good file', () => {
  it('is described: inputs, outputs, operators, sizes', () => {
    const inspection = accepted(onnxFile(treeClassifier));
    expect(inspection).toMatchObject({
      producer: 'skl2onnx',
      irVersion: 8,
      opsets: { 'ai.onnx': 17, 'ai.onnx.ml': 3 },
      inputs: [{ name: 'X', elementType: 'float', shape: [-1, 4] }],
      outputs: [
        { name: 'label', elementType: 'string', shape: [-1] },
        { name: 'probabilities', elementType: 'float', shape: [-1, 2] },
      ],
      operators: { TreeEnsembleClassifier: 1 },
      metadata: {},
    });
    // 4 numbers in, a label and two probabilities out, 8 bytes each.
    expect(inspection.bytesPerRow).toBe((4 + 1 + 2) * 8);
    expect(inspection.parameterBytes).toBeGreaterThan(100);
    expect(inspection.residentBytes).toBeGreaterThan(512 * 1024);
  });

  it.each<[keyof typeof goodModels, Inspection['signature']]>([
    [
      'a tree classifier of skl2onnx',
      signature('matrix', 4, { label: 'label', probabilities: 'probabilities', classes: ['no', 'yes'] }),
    ],
    ['a boosted regressor of onnxmltools', signature('matrix', 3, { prediction: 'variable' })],
    [
      'a scaled linear classifier of skl2onnx',
      signature('matrix', 3, { label: 'label', probabilities: 'probabilities', classes: [3, 5, 7] }),
    ],
    ['a pipeline over columns of skl2onnx', signature('columns', 3, { prediction: 'variable' })],
    [
      'a classifier that looks its label up',
      signature('matrix', 2, {
        label: 'output_label',
        probabilities: 'probabilities',
        classes: ['a', 'b', 'c'],
      }),
    ],
    ['a perceptron of torch.onnx', signature('matrix', 4, { prediction: 'output' })],
    ['a network of torch.onnx with a shape made of rows', signature('tensors', 6, { prediction: 'output' })],
    [
      'trees as matrices of hummingbird',
      signature('matrix', 2, { label: 'label', probabilities: 'probabilities' }),
    ],
    ['a support vector machine of skl2onnx', signature('matrix', 2, { prediction: 'variable' })],
  ])('has its signature read: %s', (name, expected) => {
    expect(accepted(onnxFile(goodModels[name]!)).signature).toEqual(expected);
  });

  it.each(everyAlgorithm)('is every graph that $algorithm writes for $task', ({ algorithm, task }) => {
    const table = randomTable({ nRows: 150, target: task === 'regression' ? 'numeric' : 'multiclass' });
    const model = fitted(table, { algorithm, task, hyperparameters: fewTrees(algorithm, 3) });
    const { signature: read, inputs } = accepted(exportOnnx(model));
    expect(inputs.map(({ name }) => name)).toEqual(model.features.map(({ name }) => name));
    expect(read).toMatchObject({ rows: 'columns', nFeatures: model.features.length, task });
    if (task === 'classification')
      expect(read).toMatchObject({ label: 'label', probabilities: 'probabilities' });
    else expect(read).toMatchObject({ prediction: 'prediction' });
  });
});

function signature(
  rows: Inspection['signature']['rows'],
  nFeatures: number,
  known: Partial<Inspection['signature']>,
): Inspection['signature'] {
  return {
    ...{
      rows,
      nFeatures,
      label: undefined,
      probabilities: undefined,
      prediction: undefined,
      classes: undefined,
    },
    task: known.prediction === undefined ? 'classification' : 'regression',
    ...known,
  };
}
