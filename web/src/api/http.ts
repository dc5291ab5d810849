import { ApiError, Unreachable } from './errors';

/** After this long without an answer the connection counts as lost. */
const TIMEOUT_MS = 10_000;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

let csrfToken: string | undefined;

/** The token of the signed-in session lives here only: not in storage, gone with the page. */
export function rememberCsrfToken(token: string | undefined): void {
  csrfToken = token;
}

/** The one way out of the page: marks the request as the console's and throws on everything that is not a success. */
export async function send(request: Request): Promise<Response> {
  const headers = new Headers(request.headers);
  headers.set('X-Keelson', '1');
  if (csrfToken !== undefined && !SAFE.has(request.method)) {
    headers.set('X-CSRF-Token', csrfToken);
  }
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]);
  let response: Response;
  let text: string;
  try {
    response = await fetch(new Request(request, { headers, signal }));
    // Read here, so that a connection cut in the middle of a body is told like any other.
    text = await response.text();
  } catch (cause) {
    if (request.signal.aborted) {
      throw cause;
    }
    throw new Unreachable(cause);
  }
  if (!response.ok) {
    throw ApiError.from(response.status, response.headers, text);
  }
  const empty = response.status === 204 || text === '';
  return new Response(empty ? null : text, { status: response.status, headers: response.headers });
}
