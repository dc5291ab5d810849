import createClient from 'openapi-fetch';
import { send } from './http';
import type { components, paths } from './schema';

/** Typed by the host's own OpenAPI; run `npm run generate` after it changed. */
export const api = createClient<paths>({ baseUrl: '/api/v3', fetch: send });

/** The contract calls next to nothing required; the host always fills what a page shows, so its types say so. */
export type Filled<T> = T extends (infer Item)[]
  ? Filled<Item>[]
  : T extends object
    ? { [Name in keyof T]-?: Filled<T[Name]> }
    : T;

export type ActiveAlarm = Filled<components['schemas']['ActiveAlarm']>;
export type Company = Filled<components['schemas']['Company']>;

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
export function page<T>(answer: { data?: Envelope<T> | undefined }): Page<Filled<T>> {
  const items = answer.data?.data;
  if (!Array.isArray(items)) {
    throw new TypeError('the answer holds no list');
  }
  return { items: items as Filled<T>[], total: answer.data?.meta?.pagingInfo?.total ?? items.length };
}
