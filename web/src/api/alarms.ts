import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import { api, page } from './client';
import { listParameters } from './lists';
import { namesByUid } from './names';

export const ALARMS_PER_PAGE = 50;
export const ALARMS_EVERY_MS = 2_000;

/** Active alarms, the newest first, without those that are resolved; asked again every two seconds. */
export function activeAlarms(pageNumber: number) {
  return queryOptions({
    queryKey: ['alarms', 'active', pageNumber],
    queryFn: async ({ signal }) => {
      const query = listParameters({
        filter: [{ property: 'lastActivation.status', operation: 'notEquals', value: 'Resolved' }],
        sort: [{ property: 'lastActivation.time', direction: 'descending' }],
        page: pageNumber,
        pageSize: ALARMS_PER_PAGE,
      });
      return page(await api.GET('/alarms/active', { params: { query }, signal }));
    },
    refetchInterval: ALARMS_EVERY_MS,
    placeholderData: keepPreviousData,
    retry: false, // the next round is the retry
  });
}

/** Names of the alarm templates that a page of alarms mentions. */
export function templateNames(uids: string[]) {
  return namesByUid('templates', uids, async (query, signal) =>
    page(await api.GET('/alarms/templates', { params: { query }, signal })),
  );
}
