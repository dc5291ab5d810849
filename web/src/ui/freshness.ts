import { ApiError } from '../api/errors';
import { describe } from './describe';
import { clockTime } from './time';

/** How far what is on the screen can be trusted. */
export type Freshness = 'live' | 'late' | 'lost';

/** The last answer of something that is asked again and again. */
export interface LastAnswer {
  /** When the rows on the screen came; 0 if none did yet. */
  updatedAt: number;
  /** Why the latest round failed, if it did. */
  error: Error | null;
  /** How often it is asked. */
  everyMs: number;
}

/** Late: no failure yet, but the next answer is long overdue. */
export function freshness({ updatedAt, error, everyMs }: LastAnswer, now: number): Freshness {
  if (error !== null) {
    return 'lost';
  }
  return updatedAt > 0 && now - updatedAt > 2 * everyMs + 3_000 ? 'late' : 'live';
}

/** The sentence beside the list; it never calls old rows new. */
export function freshnessText(answer: LastAnswer, now: number): string {
  const asOf = answer.updatedAt > 0 ? clockTime(answer.updatedAt) : undefined;
  const shown = asOf === undefined ? '' : ` Shown as of ${asOf}.`;
  switch (freshness(answer, now)) {
    case 'lost':
      return answer.error instanceof ApiError
        ? `Not updating. ${describe(answer.error)}${shown}`
        : `Connection lost, trying again.${shown}`;
    case 'late':
      return `No answer for a while.${shown}`;
    case 'live':
      return asOf === undefined ? 'Loading' : `Updated ${asOf}`;
  }
}
