import { useSyncExternalStore } from 'react';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** One timer for the whole page; it stops with the last reader. */
function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    for (const each of listeners) {
      each();
    }
  }, 1_000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** A text or number that depends on the time of day; the component renders again only when it changes. */
export function useTicking<T extends string | number>(compute: (now: number) => T): T {
  return useSyncExternalStore(subscribe, () => compute(Date.now()));
}
