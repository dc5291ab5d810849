import { keepPreviousData, queryOptions } from '@tanstack/react-query';
import type { Page } from './client';
import { listParameters } from './lists';

interface Named {
  instanceUid: string;
  name: string;
}

type List = (query: ReturnType<typeof listParameters>, signal: AbortSignal) => Promise<Page<Named>>;

/** The names of just these objects: a page mentions a few, the host may hold many thousands. */
export function namesByUid(kind: string, uids: string[], list: List) {
  const wanted = [...new Set(uids)].sort();
  return queryOptions({
    queryKey: ['names', kind, wanted],
    queryFn: async ({ signal }) => {
      const filter = [{ property: 'instanceUid', operation: 'in' as const, value: wanted }];
      const { items } = await list(listParameters({ filter, pageSize: wanted.length }), signal);
      return new Map(items.map(({ instanceUid, name }) => [instanceUid, name]));
    },
    enabled: wanted.length > 0,
    staleTime: 60_000,
    placeholderData: keepPreviousData,
  });
}
