import createClient from 'openapi-fetch';
import { send } from './http';
import type { components, paths } from './schema';

/** Typed by the host's own OpenAPI; run `npm run generate` after it changed. */
export const api = createClient<paths>({ baseUrl: '/api/v3', fetch: send });

export type ActiveAlarm = components['schemas']['ActiveAlarm'];
export type Company = components['schemas']['Company'];

/** A page of a list. */
export interface Page<T> {
  items: T[];
  total: number;
}

interface Envelope<T> {
  data: T[];
  meta?: { pagingInfo?: { total?: number } | null } | null;
}

/** Takes a list out of its envelope. An answer without one is a fault, never an empty list. */
export function page<T>(answer: { data?: Envelope<T> | undefined }): Page<T> {
  const items = answer.data?.data;
  if (!Array.isArray(items)) {
    throw new TypeError('the answer holds no list');
  }
  return { items, total: answer.data?.meta?.pagingInfo?.total ?? items.length };
}
