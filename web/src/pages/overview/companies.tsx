import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { Company } from '../../api/client';
import { COMPANIES_EVERY_MS, COMPANIES_PER_PAGE, companies } from '../../api/companies';
import { pageCount } from '../../api/lists';
import { describe } from '../../ui/describe';
import { FreshnessNote } from '../../ui/freshness-note';
import { Message } from '../../ui/message';
import { Pager } from '../../ui/pager';
import { Panel } from '../../ui/panel';
import { companyTone, StatusBadge, spelled } from '../../ui/status-badge';
import classes from './companies.module.css';

export function Companies() {
  const [wantedPage, setWantedPage] = useState(1);
  const { data, error, isPlaceholderData, dataUpdatedAt: updatedAt } = useQuery(companies(wantedPage));
  const total = data?.total;
  const lastPage = total === undefined ? wantedPage : pageCount(total, COMPANIES_PER_PAGE);
  if (!isPlaceholderData && wantedPage > lastPage) {
    setWantedPage(lastPage);
  }
  return (
    <Panel
      title="Companies"
      count={total}
      aside={<FreshnessNote quiet answer={{ updatedAt, error, everyMs: COMPANIES_EVERY_MS }} />}
      footer={
        <Pager
          label="Companies"
          total={total ?? 0}
          pageSize={COMPANIES_PER_PAGE}
          page={wantedPage}
          onChange={setWantedPage}
        />
      }
    >
      {data === undefined && error === null && <Message title="Loading companies" />}
      {data === undefined && error !== null && (
        <Message title="The companies cannot be read">{describe(error)} Trying again.</Message>
      )}
      {data?.items.length === 0 && (
        <Message title="No companies yet">
          Add the first with <code>keelson company add --name NAME</code> or POST /api/v3/organizations/companies.
        </Message>
      )}
      {data !== undefined && data.items.length > 0 && <CompanyList items={data.items} />}
    </Panel>
  );
}

function CompanyList({ items }: { items: Company[] }) {
  return (
    <ul className={classes.list}>
      {items.map(({ instanceUid, name, status }) => (
        <li className={classes.company} key={instanceUid}>
          <span className={classes.name}>{name}</span>
          <StatusBadge status={spelled(status)} tone={companyTone(status)} />
        </li>
      ))}
    </ul>
  );
}
