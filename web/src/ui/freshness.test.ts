import { expect, test } from 'vitest';
import { ApiError, Unreachable } from '../api/errors';
import { freshness, freshnessText } from './freshness';
import { clockTime } from './time';

const NOON = Date.UTC(2026, 0, 5, 12, 0, 0);
const answer = { updatedAt: NOON, error: null, everyMs: 2_000 };

test('rows are live while answers keep coming', () => {
  expect(freshness(answer, NOON + 5_000)).toBe('live');
  expect(freshnessText(answer, NOON + 5_000)).toBe(`Updated ${clockTime(NOON)}`);
});

test('rows are late when an answer is overdue, before any request failed', () => {
  expect(freshness(answer, NOON + 8_000)).toBe('late');
  expect(freshnessText(answer, NOON + 8_000)).toContain(`Shown as of ${clockTime(NOON)}.`);
});

test('old rows are never called updated once a request failed', () => {
  const lost = { ...answer, error: new Unreachable(undefined) };
  expect(freshnessText(lost, NOON + 1_000)).toBe(`Connection lost, trying again. Shown as of ${clockTime(NOON)}.`);
  const refused = { ...answer, error: new ApiError(520, 'the database is locked') };
  expect(freshnessText(refused, NOON + 1_000)).toContain('Not updating. The database is locked.');
});

test('before the first answer nothing is claimed', () => {
  const first = { ...answer, updatedAt: 0 };
  expect(freshnessText(first, NOON)).toBe('Loading');
  expect(freshnessText({ ...first, error: new Unreachable(undefined) }, NOON)).toBe('Connection lost, trying again.');
});
