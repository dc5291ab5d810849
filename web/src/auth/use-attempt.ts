import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { ApiError, Unreachable } from '../api/errors';
import { describe } from '../ui/describe';
import { inWords } from '../ui/time';
import { useTicking } from '../ui/use-ticking';

/** A form that meets no host is sent again for a minute before the page gives up. */
const TRIES = 30;
const TRY_EVERY_MS = 2_000;

/** A form that the host may refuse for a while: what it says, and how long to wait. */
export function useAttempt<Input, Answer>(
  send: (input: Input) => Promise<Answer>,
  onSuccess: (answer: Answer) => void,
) {
  const [blockedUntil, setBlockedUntil] = useState(0);
  const mutation = useMutation({
    mutationFn: send,
    retry: (count, error) => error instanceof Unreachable && count < TRIES,
    retryDelay: TRY_EVERY_MS,
    onSuccess,
    onError: (error) => {
      if (error instanceof ApiError && error.status === 429) {
        setBlockedUntil(Date.now() + (error.retryAfterSeconds ?? 60) * 1000);
      }
    },
  });
  const wait = useTicking((now) => Math.max(0, Math.ceil((blockedUntil - now) / 1000)));
  return { submit: mutation.mutate, pending: mutation.isPending, wait, trouble: trouble() };

  /** What went wrong last, if it still matters. */
  function trouble(): string | undefined {
    if (wait > 0) {
      return `Too many attempts. Try again in ${inWords(wait)}.`;
    }
    if (mutation.isPending) {
      return mutation.failureReason ? `${describe(mutation.failureReason)} Trying again.` : undefined;
    }
    const { error } = mutation;
    if (error instanceof ApiError && error.status === 429) {
      return undefined; // the wait is over
    }
    return error ? describe(error) : undefined;
  }
}
