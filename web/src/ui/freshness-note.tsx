import { VisuallyHidden } from '@mantine/core';
import { freshness, freshnessText, type LastAnswer } from './freshness';
import classes from './freshness-note.module.css';
import { useTicking } from './use-ticking';

const ANNOUNCED = {
  live: '',
  late: 'The list is not up to date.',
  lost: 'Connection lost. The list is not up to date.',
};

interface FreshnessNoteProps {
  answer: LastAnswer;
  /** Nothing is said while all is well. */
  quiet?: boolean;
}

/** "Updated 20:59:03", or an honest word that it is not. Screen readers hear changes of state, not every round. */
export function FreshnessNote({ answer, quiet = false }: FreshnessNoteProps) {
  const state = useTicking((now) => freshness(answer, now));
  const text = useTicking((now) => freshnessText(answer, now));
  if (quiet && state === 'live') {
    return null;
  }
  return (
    <div className={classes.note} data-state={state}>
      <span className={classes.dot} aria-hidden="true" />
      <span>{text}</span>
      <VisuallyHidden role="status">{ANNOUNCED[state]}</VisuallyHidden>
    </div>
  );
}
