import { Group, Pagination, Text } from '@mantine/core';
import { pageCount } from '../api/lists';
import classes from './pager.module.css';

interface PagerProps {
  /** What is paged, for screen readers: "Active alarms". */
  label: string;
  total: number;
  pageSize: number;
  page: number;
  onChange: (page: number) => void;
}

const CONTROLS = { first: 'First page', previous: 'Previous page', next: 'Next page', last: 'Last page' };

/** Shown only when there is more than one page. */
export function Pager({ label, total, pageSize, page, onChange }: PagerProps) {
  const pages = pageCount(total, pageSize);
  if (pages === 1) {
    return null;
  }
  const first = (page - 1) * pageSize + 1;
  const last = Math.min(page * pageSize, total);
  return (
    <nav className={classes.pager} aria-label={`${label}, pages`}>
      <Group justify="space-between" gap="xs">
        <Text size="xs" c="dimmed" className={classes.range}>
          {first.toLocaleString()}–{last.toLocaleString()} of {total.toLocaleString()}
        </Text>
        <Pagination
          size="sm"
          siblings={0}
          total={pages}
          value={page}
          onChange={onChange}
          getControlProps={(control) => ({ 'aria-label': CONTROLS[control] })}
          getItemProps={(item) => ({ 'aria-label': `Page ${item}` })}
        />
      </Group>
    </nav>
  );
}
