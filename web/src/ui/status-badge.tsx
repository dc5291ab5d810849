import classes from './status-badge.module.css';

/** A state in one word; the colour repeats what the word says and never says more. */
export function StatusBadge({ status, tone }: { status: string; tone: Tone }) {
  return (
    <span className={classes.badge} data-tone={tone}>
      <span className={classes.dot} aria-hidden="true" />
      {status}
    </span>
  );
}

export type Tone = 'bad' | 'warn' | 'info' | 'good' | 'quiet';

const ALARM_TONES: Record<string, Tone> = {
  Error: 'bad',
  Warning: 'warn',
  Info: 'info',
  Resolved: 'good',
  Acknowledged: 'quiet',
};

const COMPANY_TONES: Record<string, Tone> = {
  Active: 'good',
  Expired: 'warn',
  SiteResourceCreationFailed: 'bad',
  SiteResourceUpdateFailed: 'bad',
};

/** A status that a newer host invents is shown by its name, quietly. */
export const alarmTone = (status: string): Tone => ALARM_TONES[status] ?? 'quiet';
export const companyTone = (status: string): Tone => COMPANY_TONES[status] ?? 'quiet';

/** `SiteResourceCreationFailed` → `Site resource creation failed` */
export function spelled(code: string): string {
  const words = code.replace(/(?<=[a-z0-9])(?=[A-Z])/g, ' ').toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
