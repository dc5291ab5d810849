import type { ReactNode } from 'react';
import classes from './message.module.css';

interface MessageProps {
  title: string;
  children?: ReactNode;
  /** Spoken at once by screen readers. */
  urgent?: boolean;
}

/** In place of rows: nothing there, not yet there, or cannot be had. */
export function Message({ title, children, urgent = false }: MessageProps) {
  return (
    <div className={classes.message} {...(urgent && { role: 'alert' })}>
      <p className={classes.title}>{title}</p>
      {children && <p className={classes.text}>{children}</p>}
    </div>
  );
}
