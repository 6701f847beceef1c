import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { AttributeProtoSchema } from '../../../../src/ml/onnx/generated/onnx_pb.ts';
import { attribute } from '../../../../src/ml/onnx/graph-builder.ts';
import { LongAttribute } from '../../../../src/ml/onnx/long-attribute.ts';

function readBack(list: LongAttribute) {
  return fromBinary(AttributeProtoSchema, toBinary(AttributeProtoSchema, list.build()));
}

describe('a long list attribute', () => {
  it('is read as the list that was added', () => {
    const values = Array.from({ length: 3_000 }, (_, i) => (i % 3 === 0 ? i : 2 ** (i % 53)));
    const ints = new LongAttribute('ids', 'ints');
    for (const value of values) ints.addInt(value);
    expect(readBack(ints)).toMatchObject({ name: 'ids', type: 7, ints: values.map(BigInt) });

    const floats = new LongAttribute('weights', 'floats');
    for (const value of values) floats.addFloat(-value / 3);
    expect(readBack(floats)).toMatchObject({
      name: 'weights',
      type: 6,
      floats: values.map((value) => Math.fround(-value / 3)),
    });

    const strings = new LongAttribute('modes', 'strings');
    const texts = values.map((_, i) => new Uint8Array(i % 300).fill(65));
    for (const text of texts) strings.addString(text);
    expect(readBack(strings).strings.map((text) => text.length)).toEqual(texts.map((text) => text.length));
  });

  it('without elements is an empty list', () => {
    expect(readBack(new LongAttribute('none', 'ints')).ints).toEqual([]);
  });

  it('packs numbers: a tag and a length for all of them, and not a tag for each', () => {
    const list = new LongAttribute('ids', 'ints');
    for (const value of [0, 127, 128, 300]) list.addInt(value);
    const unpacked = toBinary(
      AttributeProtoSchema,
      create(AttributeProtoSchema, attribute.ints('ids', [0, 127, 128, 300])),
    );
    expect(readBack(list).ints).toEqual([0n, 127n, 128n, 300n]);
    // Four tags less; one tag and one length more.
    expect(toBinary(AttributeProtoSchema, list.build()).length).toBe(unpacked.length - 2);
  });
});
