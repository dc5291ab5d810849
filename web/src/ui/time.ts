const UNITS = [
  ['day', 86_400],
  ['hour', 3_600],
  ['minute', 60],
  ['second', 1],
] as const;

/**
 * A span of time in its largest fitting unit: "2 minutes". Rounded up, so that a promised wait is long enough; seconds
 * in tens, so that a screen reader is not told a new number every second.
 */
export function inWords(seconds: number): string {
  const rounded = seconds < 60 ? Math.max(1, Math.ceil(seconds / 10)) * 10 : seconds;
  const [unit, size] = UNITS.find(([, size]) => rounded >= size) ?? UNITS[3];
  const count = Math.ceil(rounded / size);
  return `${count} ${unit}${count === 1 ? '' : 's'}`;
}

/** How long ago, rounded down; nothing that ticks every second. A clock behind the host's never shows the future. */
export function ago(then: number, now: number): string {
  const seconds = Math.floor((now - then) / 1000);
  if (seconds < 60) {
    return 'moments ago';
  }
  const [unit, size] = UNITS.find(([, size]) => seconds >= size) ?? UNITS[3];
  const count = Math.floor(seconds / size);
  return `${count} ${unit}${count === 1 ? '' : 's'} ago`;
}

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
});

const dayAndMinute = new Intl.DateTimeFormat(undefined, {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hourCycle: 'h23',
});

const full = new Intl.DateTimeFormat(undefined, {
  weekday: 'short',
  day: 'numeric',
  month: 'long',
  year: 'numeric',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
  timeZoneName: 'short',
});

/** hh:mm:ss */
export const clockTime = (instant: number): string => clock.format(instant);
/** Day, month, hh:mm */
export const shortTime = (instant: number): string => dayAndMinute.format(instant);
/** Everything, with the time zone */
export const fullTime = (instant: number): string => full.format(instant);
