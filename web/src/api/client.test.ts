import { expect, test } from 'vitest';
import { page } from './client';

test('the total is that of the whole list, not of the page', () => {
  const data = { data: ['a', 'b'], meta: { pagingInfo: { total: 132, count: 2, offset: 0 } } };
  expect(page({ data })).toEqual({ items: ['a', 'b'], total: 132 });
});

test('an answer without a list is a fault and never reads as "no alarms"', () => {
  expect(() => page({})).toThrow();
  expect(() => page({ data: { data: null as unknown as [] } })).toThrow();
});
