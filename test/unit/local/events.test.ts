import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertSupported, matchesPattern } from '../../../local/events/event-pattern.ts';
import { cronPattern } from '../../../local/events/schedule-expression.ts';
import { targetInput } from '../../../local/events/target-input.ts';

describe('an event pattern', () => {
  const event = { source: 'a.b', detail: { status: 'FAILED', score: 3, tags: ['x', 'y'], none: null } };

  it.each<[object, boolean]>([
    [{ source: ['a.b'] }, true],
    [{ source: ['other', 'a.b'] }, true],
    [{ source: [{ prefix: 'a.' }] }, true],
    [{ source: [{ prefix: 'b' }] }, false],
    [{ source: [{ suffix: '.b' }] }, true],
    [{ detail: { status: ['FAILED'], score: [3] } }, true],
    [{ detail: { status: ['FAILED'], score: [4] } }, false],
    [{ detail: { score: ['3'] } }, false],
    [{ detail: { tags: ['y'] } }, true],
    [{ detail: { none: [null] } }, true],
    [{ detail: { missing: [{ exists: false }] } }, true],
    [{ detail: { status: [{ exists: true }] } }, true],
    [{ detail: { status: [{ 'anything-but': 'FAILED' }] } }, false],
    [{ detail: { status: [{ 'anything-but': ['OK', { prefix: 'X' }] }] } }, true],
    [{ detail: { missing: [{ 'anything-but': 'x' }] } }, false],
    [{ $or: [{ source: ['x'] }, { detail: { score: [3] } }] }, true],
    [{ detail: { status: { deeper: ['x'] } } }, false],
  ])('%j matches: %s', (pattern, expected) => {
    expect(matchesPattern(pattern, event)).toBe(expected);
  });

  it('with a filter that is not supported is refused at deployment', () => {
    expect(() => assertSupported({ detail: { n: [{ numeric: ['>', 1] }] } })).toThrow(/numeric/);
    expect(() => assertSupported({ detail: { n: [{ exists: true }, 'x', null] } })).not.toThrow();
  });

  it('that lists the fields of an event matches that event', () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean());
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), scalar), (detail) => {
        const pattern = Object.fromEntries(Object.entries(detail).map(([key, value]) => [key, [value]]));
        expect(matchesPattern({ detail: pattern }, { detail })).toBe(true);
      }),
      { seed: 42 },
    );
  });
});

describe('the input of a target', () => {
  const event = { id: '1', detail: { name: 'a "quoted" name', n: 2, list: [{ v: 'first' }] } };

  it('is the event, a part of it, or a constant', () => {
    expect(JSON.parse(targetInput({}, event))).toEqual(event);
    expect(targetInput({ InputPath: '$.detail.list[0].v' }, event)).toBe('"first"');
    expect(targetInput({ Input: '{"a":1}' }, event)).toBe('{"a":1}');
  });

  it('is a template with values in quotes and outside', () => {
    const InputTransformer = {
      InputPathsMap: { name: '$.detail.name', n: '$.detail.n', missing: '$.detail.missing' },
      InputTemplate: '{"text":"it is <name>","n":<n>,"whole":<name>,"missing":<missing>}',
    };
    expect(JSON.parse(targetInput({ InputTransformer }, event))).toEqual({
      text: 'it is a "quoted" name',
      n: 2,
      whole: 'a "quoted" name',
      missing: null,
    });
  });
});

describe('a cron expression of AWS', () => {
  it.each([
    ['0 12 * * ? *', '0 0 12 * * * *'],
    ['15 10 ? * MON-FRI *', '0 15 10 * * MON-FRI *'],
    ['0 8 ? * 1 *', '0 0 8 * * 0 *'],
    ['0 8 ? * 2-6 2027', '0 0 8 * * 1-5 2027'],
    ['0/5 8 ? * 6#3 *', '0 0/5 8 * * 5#3 *'],
  ])('%s becomes %s', (expression, expected) => {
    expect(cronPattern(expression)).toBe(expected);
  });
});
