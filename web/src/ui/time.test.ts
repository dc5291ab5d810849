import { expect, test } from 'vitest';
import { ago, inWords } from './time';

const NOW = Date.UTC(2026, 0, 5, 12);
const before = (seconds: number) => ago(NOW - seconds * 1000, NOW);

test('how long ago, in the largest unit that fits', () => {
  expect([59, 60, 119, 3_600, 86_400, 3 * 86_400].map(before)).toEqual([
    'moments ago',
    '1 minute ago',
    '1 minute ago',
    '1 hour ago',
    '1 day ago',
    '3 days ago',
  ]);
});

test('a host whose clock runs ahead does not put alarms into the future', () => {
  expect(before(-600)).toBe('moments ago');
});

test('a wait in words is never shorter than the wait', () => {
  expect([1, 11, 60, 61, 3_601].map(inWords)).toEqual(['10 seconds', '20 seconds', '1 minute', '2 minutes', '2 hours']);
  expect(inWords(55)).toBe('1 minute');
});
