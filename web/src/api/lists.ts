/** What the console asks of a list; the API takes these as JSON in the query. */
export interface Condition {
  property: string;
  operation: 'equals' | 'notEquals' | 'in';
  value: string | string[];
}

export interface SortKey {
  property: string;
  direction: 'ascending' | 'descending';
  collation?: 'ordinal' | 'ignorecase' | 'lexicographic';
}

export interface ListRequest {
  filter?: Condition[];
  sort?: SortKey[];
  /** Counted from 1. */
  page?: number;
  pageSize: number;
}

/** The query parameters of a list. */
export function listParameters({ filter, sort, page = 1, pageSize }: ListRequest) {
  return {
    limit: pageSize,
    offset: (page - 1) * pageSize,
    ...(filter && { filter: JSON.stringify(filter) }),
    ...(sort && { sort: JSON.stringify(sort) }),
  };
}

/** How many pages there are; an empty list still has one. */
export function pageCount(total: number, pageSize: number): number {
  return Math.max(1, Math.ceil(total / pageSize));
}
