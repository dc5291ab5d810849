import type { ReactNode } from 'react';
import { Brand } from './brand';
import classes from './shell.module.css';

/** The frame around every page of the signed-in console. */
export function Shell({ account, children }: { account: ReactNode; children: ReactNode }) {
  return (
    <>
      <header className={classes.header}>
        <Brand />
        {account}
      </header>
      <main className={classes.main}>{children}</main>
    </>
  );
}
