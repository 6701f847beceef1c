import { describe, expect, it } from 'vitest';
import { parseUbjson } from '../../../../../src/ml/tree/import/ubjson.ts';

/** Text for markers, numbers for bytes. */
function bytes(...parts: readonly (string | number)[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => (typeof part === 'string' ? [...Buffer.from(part)] : [part])),
  );
}

describe('UBJSON', () => {
  it.each([
    ['int8', bytes('i', 0xff), -1],
    ['uint8', bytes('U', 0xff), 255],
    ['int16', bytes('I', 1, 2), 258],
    ['int32', bytes('l', 0xff, 0xff, 0xff, 0xfe), -2],
    ['int64', bytes('L', 0, 0, 0, 1, 0, 0, 0, 0), 2 ** 32],
    ['float32', bytes('d', 0x3f, 0xc0, 0, 0), 1.5],
    ['float64', bytes('D', 0xbf, 0xf8, 0, 0, 0, 0, 0, 0), -1.5],
    ['true', bytes('T'), true],
    ['false', bytes('F'), false],
    ['null', bytes('Z'), null],
    ['char', bytes('Ca'), 'a'],
    ['string', bytes('SU', 5, 'naïf'), 'naïf'],
    ['a number after no-ops', bytes('NNi', 7), 7],
    ['a list to its end', bytes('[i', 1, 'Ni', 2, ']'), [1, 2]],
    ['a list with a count', bytes('[#i', 2, 'TF'), [true, false]],
    ['a list with type and count', bytes('[$I#i', 2, 0, 1, 0, 2), Float64Array.of(1, 2)],
    ['lists in a typed list', bytes('[$[#i', 2, 'T]', 'F]'), [[true], [false]]],
    ['an object', bytes('{i', 1, 'aT', 'i', 1, 'bZ}'), { a: true, b: null }],
    ['an object with a count', bytes('{#i', 1, 'i', 1, 'ai', 3), { a: 3 }],
    ['an object with type and count', bytes('{$i#i', 1, 'i', 1, 'a', 3), { a: 3 }],
    ['an empty object', bytes('{}'), {}],
  ])('reads %s', (_, source, value) => {
    const read = parseUbjson(source);
    // Objects have no prototype.
    expect(ArrayBuffer.isView(read) ? read : JSON.parse(JSON.stringify(read))).toEqual(value);
  });

  it('keeps names of JavaScript as names', () => {
    const read = parseUbjson(bytes('{U', 9, '__proto__', 'T}')) as object;
    expect(Object.keys(read)).toEqual(['__proto__']);
    expect(Object.getPrototypeOf(read)).toBeNull();
  });

  it.each([
    ['an unknown type', bytes('x')],
    ['nothing', bytes()],
    ['bytes after the end', bytes('TT')],
    ['a number that is cut off', bytes('l', 1, 2)],
    ['a text that is longer than the file', bytes('SU', 200, 'a')],
    ['a length below 0', bytes('Si', 0xff, 'a')],
    ['a length that is no whole number', bytes('Sd', 0x3f, 0x80, 0, 0, 'a')],
    ['a count that the bytes cannot hold', bytes('[#L', 0, 0, 0, 1, 0, 0, 0, 0, 'T')],
    ['a typed count that the bytes cannot hold', bytes('[$D#U', 9, 0, 0, 0, 0, 0, 0, 0, 0)],
    ['a list of elements without bytes', bytes('[$T#U', 1)],
    ['a type without a count', bytes('[$i', 1, ']')],
    ['a list without an end', bytes('[TTT')],
    ['text that is not UTF-8', bytes('Si', 1, 0xff)],
    ['a hundred levels', bytes('['.repeat(100))],
  ])('refuses %s', (_, source) => {
    expect(() => parseUbjson(source)).toThrow(expect.objectContaining({ code: 'MODEL_NOT_READABLE' }));
  });
});
