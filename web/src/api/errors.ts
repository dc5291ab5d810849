import type { components } from './schema';

/** The request got no answer: no network, host stopped, or it took too long. */
export class Unreachable extends Error {
  constructor(cause: unknown) {
    super('The Keelson host does not answer.', { cause });
    this.name = 'Unreachable';
  }
}

/** The host answered, and refused. `message` is what it said. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly retryAfterSeconds?: number,
  ) {
    super(message);
    this.name = 'ApiError';
  }

  /** Reads the envelope's first error; an answer that is not ours still gets a sentence. */
  static from(status: number, headers: Headers, text: string): ApiError {
    const first = firstError(text);
    const message = first?.message ?? `The host answered with status ${status}.`;
    const wait = Number(headers.get('retry-after') ?? first?.retryAfter);
    return new ApiError(status, message, Number.isFinite(wait) && wait > 0 ? wait : undefined);
  }
}

type WireError = Partial<components['schemas']['ResponseError']>;

function firstError(text: string): WireError | undefined {
  try {
    const body: { errors?: WireError[] | null } | null = JSON.parse(text);
    return body?.errors?.[0];
  } catch {
    return undefined;
  }
}

/** True where another try may succeed by itself. */
export function mayPass(error: unknown): boolean {
  return error instanceof Unreachable || (error instanceof ApiError && error.status >= 500);
}
