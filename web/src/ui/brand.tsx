import classes from './brand.module.css';

/** The mark (frames on a keel) and the name. */
export function Brand() {
  return (
    <span className={classes.brand}>
      <svg viewBox="0 0 32 32" width="26" height="26" aria-hidden="true" focusable="false">
        <rect className={classes.ground} width="32" height="32" rx="7" />
        <path className={classes.line} d="M7 11c1.6 7 5 10.6 9 10.6S23.4 18 25 11M16 6.5v19" />
      </svg>
      Keelson
    </span>
  );
}
