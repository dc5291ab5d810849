import { VisuallyHidden } from '@mantine/core';
import { ActiveAlarms } from './overview/active-alarms';
import { Companies } from './overview/companies';
import classes from './overview.module.css';

/** The first page after signing in: what needs attention, and whose it is. */
export function OverviewPage() {
  return (
    <div className={classes.columns}>
      <VisuallyHidden component="h1">Overview</VisuallyHidden>
      <ActiveAlarms />
      <Companies />
    </div>
  );
}
