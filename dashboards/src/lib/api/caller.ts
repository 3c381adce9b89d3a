import { createClient, type Request } from '@parkline/client';
import type { FactorKind, Language } from '@parkline/contract';
import { ApiError, errorOf } from './errors.ts';

export interface ApiDeps {
  fetch: typeof fetch;
  /** Names and error sentences come in this language. */
  language(): Language;
  /** Told when the server no longer knows the session; not for a refused login. */
  onLoggedOut(): void;
  /** The token of the browser's session, as it is at the moment; undefined without a session. */
  csrfToken?(): string | undefined;
  /**
   * Asks the person for the second factor. Resolves to whether it was given: the request is then made once more.
   * `kinds` is empty where one has to be enrolled first.
   */
  stepUp?(kinds: readonly FactorKind[]): Promise<boolean>;
}

/** Ends a read when the page that asked for it is gone. */
export type Signal = AbortSignal | undefined;

/** One page of a list. */
export interface Listing<T> {
  readonly items: T[];
  /** Goes back as `after`; null on the last page. */
  readonly next: string | null;
}

export type Caller = ReturnType<typeof createCaller>;

/** How the API is spoken to. Every call rejects with {@link ApiError}, or AbortError when its signal ends it. */
export function createCaller(deps: ApiDeps) {
  async function send({ method, url, body, headers, signal }: Request): Promise<Response> {
    const token = method === 'GET' ? undefined : deps.csrfToken?.();
    const isFile = body instanceof Blob;
    return deps
      .fetch(url, {
        method,
        headers: {
          'accept-language': deps.language(),
          ...(token && { 'x-csrf-token': token }),
          ...(body && {
            'content-type': isFile ? body.type || 'application/octet-stream' : 'application/json',
          }),
          ...headers,
        },
        ...(body && { body: isFile ? body : JSON.stringify(body) }),
        ...(signal && { signal }),
      })
      .catch((cause: unknown) => {
        if (signal?.aborted) throw cause;
        throw new ApiError(0, { code: 'offline', message: 'no reply from the server' }, { cause });
      });
  }

  /** Whether a refused request may go through now: a second factor was given, or the session has another token since. */
  async function isCured(error: ApiError, tokenBefore: string | undefined): Promise<boolean> {
    if (error.code === 'second_factor_needed' || error.code === 'second_factor_enrol')
      return (await deps.stepUp?.(kindsIn(error.details))) ?? false;
    const token = deps.csrfToken?.();
    return ['not_logged_in', 'csrf_refused'].includes(error.code) && !!token && token !== tokenBefore;
  }

  async function call(request: Request): Promise<unknown> {
    const tokenBefore = deps.csrfToken?.();
    let reply = await send(request);
    let error = reply.ok ? undefined : await errorOf(reply);
    if (error && (await isCured(error, tokenBefore))) {
      reply = await send(request);
      error = reply.ok ? undefined : await errorOf(reply);
    }
    if (error) {
      if (error.status === 401 && request.id !== 'login' && request.id !== 'getMe') deps.onLoggedOut();
      throw error;
    }
    return reply.status === 204 ? undefined : reply.json();
  }

  // Operations by their name in the API's description, with the types that were generated of it.
  const { ask, all: list } = createClient(call);
  return { ask, list };
}

/** What can be given, as a refusal names it. */
function kindsIn(details: unknown): readonly FactorKind[] {
  const { kinds } = (details ?? {}) as { kinds?: unknown };
  return Array.isArray(kinds) ? (kinds as FactorKind[]) : [];
}
