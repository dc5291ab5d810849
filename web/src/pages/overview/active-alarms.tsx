import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { ALARMS_EVERY_MS, ALARMS_PER_PAGE, activeAlarms } from '../../api/alarms';
import { pageCount } from '../../api/lists';
import { describe } from '../../ui/describe';
import { FreshnessNote } from '../../ui/freshness-note';
import { Message } from '../../ui/message';
import { Pager } from '../../ui/pager';
import { Panel } from '../../ui/panel';
import { AlarmTable } from './alarm-table';

/** A tab in the background shows no more than its title: it must not promise what the page no longer knows. */
function tabTitle(total: number | undefined, error: Error | null): string {
  if (error !== null) {
    return 'Not updating · Keelson';
  }
  return total === undefined ? 'Alarms · Keelson' : `(${total}) Alarms · Keelson`;
}

/** Active alarms, live. The old rows stay while new ones are fetched and when they cannot be. */
export function ActiveAlarms() {
  const [wantedPage, setWantedPage] = useState(1);
  const query = useQuery(activeAlarms(wantedPage));
  const { data, error, dataUpdatedAt: updatedAt } = query;
  const total = data?.total;

  // Alarms resolve while someone reads the last page: go where there still are rows.
  const lastPage = total === undefined ? wantedPage : pageCount(total, ALARMS_PER_PAGE);
  if (!query.isPlaceholderData && wantedPage > lastPage) {
    setWantedPage(lastPage);
  }

  const turnTo = (page: number) => {
    setWantedPage(page);
    window.scrollTo({ top: 0 });
  };

  return (
    <Panel
      title="Active alarms"
      count={total}
      aside={<FreshnessNote answer={{ updatedAt, error, everyMs: ALARMS_EVERY_MS }} />}
      footer={
        <Pager
          label="Active alarms"
          total={total ?? 0}
          pageSize={ALARMS_PER_PAGE}
          page={wantedPage}
          onChange={turnTo}
        />
      }
    >
      <title>{tabTitle(total, error)}</title>
      {data === undefined && error === null && <Message title="Loading alarms" />}
      {data === undefined && error !== null && (
        <Message title="The alarms cannot be read">{describe(error)} Trying again.</Message>
      )}
      {data?.items.length === 0 && (
        <Message title="No active alarms">An alarm appears here as soon as a rule finds something.</Message>
      )}
      {data !== undefined && data.items.length > 0 && <AlarmTable alarms={data.items} />}
    </Panel>
  );
}
