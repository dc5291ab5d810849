import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, page } from './client';
import { listParameters } from './lists';
import { namesByUid } from './names';

export const COMPANIES_PER_PAGE = 25;
export const COMPANIES_EVERY_MS = 10_000;

/** Companies by name. */
export function companies(pageNumber: number) {
  return queryOptions({
    queryKey: ['companies', pageNumber],
    queryFn: async ({ signal }) => {
      const query = listParameters({
        sort: [{ property: 'name', direction: 'ascending', collation: 'ignorecase' }],
        page: pageNumber,
        pageSize: COMPANIES_PER_PAGE,
      });
      return page(await api.GET('/organizations/companies', { params: { query }, signal }));
    },
    refetchInterval: COMPANIES_EVERY_MS,
    placeholderData: keepPreviousData,
    retry: false,
  });
}

/** Names of the companies that a page of alarms mentions. */
export function companyNames(uids: string[]) {
  return namesByUid('companies', uids, async (query, signal) =>
    page(await api.GET('/organizations/companies', { params: { query }, signal })),
  );
}
