import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ApiError, Unreachable } from './errors';
import { rememberCsrfToken, send } from './http';

const fetched = vi.fn<(request: Request) => Promise<Response>>();

beforeEach(() => vi.stubGlobal('fetch', fetched));

afterEach(() => {
  vi.unstubAllGlobals();
  fetched.mockReset();
  rememberCsrfToken(undefined);
});

const request = (method: string) => new Request('https://host.example/api/v3/x', { method });
const sent = () => fetched.mock.calls[0]?.[0].headers;

test('unsafe requests carry the token of the session, safe ones do not', async () => {
  rememberCsrfToken('secret');
  fetched.mockImplementation(async () => new Response('{}'));
  await send(request('GET'));
  expect(sent()?.get('x-csrf-token')).toBeNull();
  expect(sent()?.get('x-keelson')).toBe('1');
  fetched.mockClear();
  await send(request('DELETE'));
  expect(sent()?.get('x-csrf-token')).toBe('secret');
});

test('a refusal says what the host said, and how long to wait', async () => {
  const body = JSON.stringify({ data: null, meta: null, errors: [{ message: 'Too many attempts.', code: 429 }] });
  fetched.mockResolvedValue(new Response(body, { status: 429, headers: { 'Retry-After': '30' } }));
  await expect(send(request('POST'))).rejects.toMatchObject({
    name: 'ApiError',
    status: 429,
    message: 'Too many attempts.',
    retryAfterSeconds: 30,
  });
});

test('a refusal that is no envelope still gets a sentence', async () => {
  fetched.mockResolvedValue(new Response('<h1>Bad gateway</h1>', { status: 502 }));
  await expect(send(request('GET'))).rejects.toEqual(new ApiError(502, 'The host answered with status 502.'));
});

test('a connection that breaks, at once or in the middle of the body, is told as unreachable', async () => {
  fetched.mockRejectedValueOnce(new TypeError('Failed to fetch'));
  await expect(send(request('GET'))).rejects.toBeInstanceOf(Unreachable);
  const broken = new ReadableStream({ pull: (controller) => controller.error(new TypeError('network error')) });
  fetched.mockResolvedValueOnce(new Response(broken));
  await expect(send(request('GET'))).rejects.toBeInstanceOf(Unreachable);
});

test('a request that the page itself withdrew is not a lost connection', async () => {
  const leaving = new AbortController();
  leaving.abort();
  fetched.mockRejectedValue(new DOMException('aborted', 'AbortError'));
  const withdrawn = new Request('https://host.example/', { signal: leaving.signal });
  await expect(send(withdrawn)).rejects.not.toBeInstanceOf(Unreachable);
});
