import { Tooltip } from '@mantine/core';
import classes from './since.module.css';
import { ago, fullTime, shortTime } from './time';
import { useTicking } from './use-ticking';

/** How long ago, the moment itself below it, and all of it with the time zone on hover. */
export function Since({ time }: { time: string }) {
  const instant = Date.parse(time);
  const relative = useTicking((now) => ago(instant, now));
  if (Number.isNaN(instant)) {
    return <span>{time}</span>;
  }
  return (
    <Tooltip label={fullTime(instant)} events={{ hover: true, focus: false, touch: true }} position="left">
      <time dateTime={time} className={classes.since}>
        <span>{relative}</span>
        <span className={classes.moment}>{shortTime(instant)}</span>
      </time>
    </Tooltip>
  );
}
