import { type QueryClient, queryOptions } from '@tanstack/react-query';
import { ApiError, mayPass } from '../api/errors';
import { rememberCsrfToken, send } from '../api/http';
import type { components } from '../api/schema';

type Schemas = components['schemas'];

/** Who is signed in. */
export type User = Schemas['SessionUser'];

/** Nobody is signed in, or someone is; `expired` when the host ended a session that this page had. */
export type Session = { user: User } | { user: null; expired: boolean };

const PATH = '/ui/session';

function sessionRequest(method: string, signal?: AbortSignal, body?: Schemas['SessionInput']): Request {
  return new Request(PATH, {
    method,
    ...(signal && { signal }),
    ...(body && { body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } }),
  });
}

async function granted(response: Response): Promise<Session> {
  const { data }: Schemas['Envelope_Session'] = await response.json();
  rememberCsrfToken(data.csrfToken);
  return { user: data.user };
}

/** Asked once, on load. The cookie is out of reach of scripts, so only the host can tell. */
export const sessionQuery = queryOptions<Session>({
  queryKey: ['session'],
  queryFn: async ({ signal }) => {
    try {
      return await granted(await send(sessionRequest('GET', signal)));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) {
        return { user: null, expired: false };
      }
      throw error;
    }
  },
  staleTime: Number.POSITIVE_INFINITY,
  gcTime: Number.POSITIVE_INFINITY,
  retry: (_count, error) => mayPass(error),
  retryDelay: 2_000,
});

/** The password is right; a code goes with it, of a second factor that may have to be set up first. */
export type CodeWanted = Schemas['CodeWanted'];

/** Either step: name and password, or what the first step gave and a code. */
export async function signIn(input: Schemas['SessionInput']): Promise<Session | CodeWanted> {
  const response = await send(sessionRequest('POST', undefined, input));
  const { data }: Schemas['Envelope_SessionBegun'] = await response.clone().json();
  return 'mfaToken' in data ? data : granted(response);
}

function passwordRequest(method: string, body: object): Request {
  const headers = { 'Content-Type': 'application/json' };
  return new Request('/api/v3/users/resetpassword', { method, headers, body: JSON.stringify(body) });
}

/** Sends a mail with a link, if there is such a user; the host does not say whether. */
export async function askForPassword(userName: string, email: string): Promise<void> {
  await send(passwordRequest('POST', { userName, email }));
}

/** Sets the password with the code out of that mail. */
export async function setPassword(code: string, newPassword: string): Promise<void> {
  await send(passwordRequest('PUT', { code, newPassword }));
}

export async function signOut(): Promise<void> {
  try {
    await send(sessionRequest('DELETE'));
  } catch (error) {
    // Already ended: that is what was wanted.
    if (!(error instanceof ApiError && error.status === 401)) {
      throw error;
    }
  }
}

/** Forgets the user and everything that was read in their name. */
export function endSession(client: QueryClient, expired: boolean): void {
  rememberCsrfToken(undefined);
  const nobody: Session = { user: null, expired };
  client.setQueryData(sessionQuery.queryKey, nobody);
  client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
}

/** A 401 on anything but the sign-in itself: the host ended the session, so the page goes back to the door. */
export function noticeExpiry(client: QueryClient, error: Error): void {
  const session = client.getQueryData(sessionQuery.queryKey);
  if (error instanceof ApiError && error.status === 401 && session?.user) {
    endSession(client, true);
  }
}
