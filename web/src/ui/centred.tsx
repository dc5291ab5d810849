import type { ReactNode } from 'react';
import classes from './centred.module.css';

/** One card in the middle: the pages outside the console's frame. */
export function Centred({ children }: { children: ReactNode }) {
  return (
    <main className={classes.page}>
      <div className={classes.card}>{children}</div>
    </main>
  );
}
