import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attribute, GraphBuilder } from '../../../../src/ml/onnx/graph-builder.ts';
import { LongAttribute } from '../../../../src/ml/onnx/long-attribute.ts';
import { ElementType } from '../../../../src/ml/onnx/onnx-versions.ts';
import { ModelDamagedError } from '../../../../src/ml/onnx/read/model-damaged-error.ts';
import { readModel } from '../../../../src/ml/onnx/read/read-model.ts';
import { tensorNumbers } from '../../../../src/ml/onnx/read/tensor-numbers.ts';
import { field, floatBits, varint } from './wire-format.ts';

function builtGraph(): Uint8Array {
  const graph = new GraphBuilder(['prediction']);
  const input = graph.input('größe', ElementType.float);
  const table = graph.doubles([1.5, -2], [1, 2]);
  const days = graph.int64s([-(2n ** 63n), -1n, 2n ** 53n - 1n], [3]);
  const words = new LongAttribute('words', 'strings');
  for (const word of ['LEAF', '', 'BRANCH_LEQ']) words.addString(new TextEncoder().encode(word));
  const numbers = new LongAttribute('numbers', 'ints');
  for (const number of [0, 127, 128, 2 ** 31 - 1, 2 ** 40]) numbers.addInt(number);
  graph.node('Anything', [input, table, days, ''], {
    domain: 'ai.onnx.ml',
    output: 'prediction',
    attributes: [
      words.build(),
      numbers.build(),
      attribute.ints('negative', [-1, -(2 ** 40)]),
      attribute.floats('floats', [0.1, Number.NaN, -0]),
      attribute.float('one', 2.5),
      attribute.int('count', -7),
      attribute.string('text', 'naïve'),
      attribute.doubleScalar('scalar', Math.PI),
    ],
  });
  graph.output('prediction', ElementType.float, ['N', 1]);
  return graph.build('some', { task: 'regression', features: '[]' });
}

const damaged = (reason: string | RegExp) =>
  expect.objectContaining({ code: 'MODEL_LOAD_FAILED', message: expect.stringMatching(reason) });

describe('reading an ONNX model', () => {
  it('gives what the writer wrote', () => {
    const model = readModel(builtGraph());
    expect(model).toMatchObject({ irVersion: 8, producerName: 'tenantml', nFunctions: 0 });
    expect([...model.opsets]).toEqual([
      ['ai.onnx', 17],
      ['ai.onnx.ml', 3],
    ]);
    expect([...model.metadata]).toEqual([
      ['task', 'regression'],
      ['features', '[]'],
    ]);
    const { nodes, inputs, outputs, initializers } = model.graph;
    expect(inputs).toEqual([{ name: 'größe', kind: 'tensor', elementType: 1, shape: ['N', 1] }]);
    expect(outputs).toEqual([{ name: 'prediction', kind: 'tensor', elementType: 1, shape: ['N', 1] }]);
    expect(initializers.map(({ dims }) => dims)).toEqual([[1, 2], [3]]);
    expect(Array.from(tensorNumbers(initializers[0]!))).toEqual([1.5, -2]);
    expect(Array.from(tensorNumbers(initializers[1]!))).toEqual([-(2 ** 63), -1, 2 ** 53 - 1]);
    const [node] = nodes;
    expect(node).toMatchObject({
      opType: 'Anything',
      domain: 'ai.onnx.ml',
      inputs: ['größe', 'constant', 'constant_1', ''],
      outputs: ['prediction'],
    });
    const of = (name: string) => node!.attributes.find((one) => one.name === name)!;
    expect(of('words').strings.toArray()).toEqual(['LEAF', '', 'BRANCH_LEQ']);
    expect(Array.from(of('numbers').ints)).toEqual([0, 127, 128, 2 ** 31 - 1, 2 ** 40]);
    expect(Array.from(of('negative').ints)).toEqual([-1, -(2 ** 40)]);
    expect(Array.from(of('floats').floats)).toEqual([Math.fround(0.1), Number.NaN, -0]);
    expect(of('one').float).toBe(2.5);
    expect(of('count').int).toBe(-7);
    expect(new TextDecoder().decode(of('text').text)).toBe('naïve');
    expect(Array.from(tensorNumbers(of('scalar').tensor!))).toEqual([Math.PI]);
  });

  it('reads lists alike, packed and one by one, in one run or in several', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 40), max: 2 ** 40 })), fc.nat(20), (numbers, split) => {
        const one = (number: number) => field(8, 0, varint(number));
        const packed = (part: readonly number[]) => field(8, 2, part.flatMap(varint));
        const name = field(1, 2, [120]);
        for (const bytes of [
          [...name, ...numbers.flatMap(one)],
          [...packed(numbers.slice(0, split)), ...name, ...packed(numbers.slice(split))],
          [...numbers.slice(0, split).flatMap(one), ...name, ...packed(numbers.slice(split))],
        ]) {
          const node = field(1, 2, [...field(4, 2, [88]), ...field(5, 2, bytes)]);
          const { nodes } = readModel(Uint8Array.from(field(7, 2, node))).graph;
          expect(Array.from(nodes[0]!.attributes[0]!.ints)).toEqual(numbers);
        }
      }),
      { numRuns: 200, seed: 3 },
    );
  });

  it('reads typed data of tensors as it reads raw data', () => {
    const floats = [1.5, -2.25];
    const typed = field(4, 2, floats.flatMap(floatBits));
    const raw = field(9, 2, floats.flatMap(floatBits));
    for (const data of [typed, raw]) {
      const tensor = [...field(1, 0, varint(2)), ...field(2, 0, varint(1)), ...data];
      const { initializers } = readModel(Uint8Array.from(field(7, 2, field(5, 2, tensor)))).graph;
      expect(Array.from(tensorNumbers(initializers[0]!))).toEqual(floats);
    }
  });

  it.each<[string, number[], RegExp]>([
    ['nothing', [], /no graph/],
    ['an endless varint', new Array<number>(40).fill(0xff), /64 bits/],
    ['a tag of field 0', [0, 0], /tag/],
    ['a group', [0x0b, 0x0c], /wire type 3/],
    ['a length beyond the end', [...varint(7 * 8 + 2), 0xff, 0x7f], /middle/],
    ['a negative length', [...varint(7 * 8 + 2), ...varint(-1)], /middle/],
    ['a graph that is a number', field(7, 0, varint(5)), /wire type 0/],
    ['two graphs', [...field(7, 2, []), ...field(7, 2, [])], /two graphs/],
    ['a name that is no UTF-8', field(7, 2, field(1, 2, field(1, 2, [0xff, 0xfe]))), /UTF-8/],
    ['half a float', field(7, 2, field(1, 2, field(5, 2, field(7, 2, [1, 2, 3])))), /middle/],
    ['a packed int cut short', field(7, 2, field(1, 2, field(5, 2, field(8, 2, [0x80])))), /middle/],
    ['33 dimensions', field(7, 2, field(5, 2, field(1, 2, new Array<number>(33).fill(1)))), /dimensions/],
    ['an opset twice', [...field(8, 2, []), ...field(8, 2, [])], /twice/],
  ])('refuses %s', (_, bytes, reason) => {
    expect(() => readModel(Uint8Array.from(bytes))).toThrowError(damaged(reason));
  });

  it('refuses more messages than its size explains, before they are in memory', () => {
    const empty = field(1, 2, []);
    const nodes = Array.from({ length: 100_000 }, () => empty).flat();
    expect(() => readModel(Uint8Array.from(field(7, 2, nodes)))).toThrowError(damaged(/messages/));
  });

  it('refuses a tensor whose dims promise more than it holds', () => {
    for (const dims of [[2 ** 31, 2 ** 31], [-1], [3], [2 ** 62, 4], [0]]) {
      const tensor = [
        ...dims.flatMap((size) => field(1, 0, varint(size))),
        ...field(2, 0, varint(1)),
        ...field(9, 2, new Array<number>(8).fill(0)),
      ];
      const { initializers } = readModel(Uint8Array.from(field(7, 2, field(5, 2, tensor)))).graph;
      expect(() => tensorNumbers(initializers[0]!)).toThrowError(ModelDamagedError);
    }
  });

  it('reads or refuses any bytes, and says which', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          readModel(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ModelDamagedError);
        }
      }),
      { numRuns: 3_000, seed: 5 },
    );
  });

  it('reads or refuses a model cut short anywhere', () => {
    const whole = builtGraph();
    let refused = 0;
    for (let length = 0; length < whole.length; length++) {
      try {
        readModel(whole.subarray(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(ModelDamagedError);
        refused++;
      }
    }
    // Only a cut between two of the model's own fields leaves a model.
    expect(refused).toBeGreaterThan(whole.length - 8);
  });
});
