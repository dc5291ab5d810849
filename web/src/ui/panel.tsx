import { type ReactNode, useId } from 'react';
import classes from './panel.module.css';

interface PanelProps {
  title: string;
  /** How many there are in all, once known. */
  count?: number | undefined;
  /** On the right of the heading. */
  aside?: ReactNode;
  footer?: ReactNode;
  children: ReactNode;
}

/** A titled surface; every list of the console sits in one. */
export function Panel({ title, count, aside, footer, children }: PanelProps) {
  const heading = useId();
  return (
    <section className={classes.panel} aria-labelledby={heading}>
      <div className={classes.head}>
        <h2 className={classes.title} id={heading}>
          {title}
          {count !== undefined && <span className={classes.count}>{count.toLocaleString()}</span>}
        </h2>
        {aside}
      </div>
      {children}
      {footer}
    </section>
  );
}
