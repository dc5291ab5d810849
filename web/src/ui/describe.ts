import { ApiError, Unreachable } from '../api/errors';
import { inWords } from './time';

/** One sentence for a person. */
export function describe(error: unknown): string {
  if (error instanceof ApiError && error.status === 429) {
    return `Too many attempts. Try again in ${inWords(error.retryAfterSeconds ?? 60)}.`;
  }
  if (error instanceof ApiError || error instanceof Unreachable) {
    return sentence(error.message);
  }
  return 'The host sent an answer that this page does not understand. Reload the page.';
}

/** The host's messages begin small and end without a stop, so that they can stand inside a log line. */
export function sentence(message: string): string {
  const text = message.trim();
  return text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? '' : '.');
}
