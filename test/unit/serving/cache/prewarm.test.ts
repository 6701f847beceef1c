import { expect, it } from 'vitest';
import { prewarm } from '../../../../src/serving/cache/prewarm.ts';
import { cacheBench } from '../../../support/cache-models.ts';

it('loads what fits without evicting anything, and tells what did not', async () => {
  // 30 are free of 100: the first of 20 fits, the one of 20 after it does not, the one of 10 does.
  const { use, held, evicted } = cacheBench({ budgetBytes: 100 });
  await use('held', 70);
  const sizes: Record<string, number> = { first: 20, second: 20, broken: 10, third: 10 };
  const outcomes = await prewarm(Object.keys(sizes), (id) => {
    if (id === 'broken') throw new Error('damaged');
    return use(id, sizes[id]!, { mayEvict: false });
  });
  expect(outcomes.map(({ model, outcome }) => [model, outcome])).toEqual([
    ['first', 'loaded'],
    ['second', 'no_room'],
    ['broken', 'failed'],
    ['third', 'loaded'],
  ]);
  expect(outcomes[2]!.error).toMatchObject({ message: 'damaged' });
  expect([held(), evicted]).toEqual([['held', 'first', 'third'], []]);
});

it('stops when its time is over', async () => {
  let left = 2;
  const outcomes = await prewarm(
    ['a', 'b', 'c'],
    async () => undefined,
    () => left-- > 0,
  );
  expect(outcomes.map(({ model }) => model)).toEqual(['a', 'b']);
});
