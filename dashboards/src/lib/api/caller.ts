import { createClient } from '@parkline/client';
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

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Ends a read when the page that asked for it is gone. */
export type Signal = AbortSignal | undefined;

interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly query?: Query;
  readonly body?: object;
  /** Sent as it is, in place of `body`. */
  readonly file?: Blob;
  /** The version that a change was made on: somebody else's change in between is not lost but refused as `stale_edit`. */
  readonly version?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: Signal;
}

/** One page of a list. */
export interface Listing<T> {
  readonly items: T[];
  /** Goes back as `after`; null on the last page. */
  readonly next: string | null;
}

export type Caller = ReturnType<typeof createCaller>;

const pageSize = 500;

/** How the API is spoken to. Every call rejects with {@link ApiError}, or AbortError when its signal ends it. */
export function createCaller(deps: ApiDeps) {
  async function send(path: string, call: Call): Promise<Response> {
    const { method = 'GET', query = {}, body, file, version, headers, signal } = call;
    const token = method === 'GET' ? undefined : deps.csrfToken?.();
    return deps
      .fetch(path + queryText(query), {
        method,
        headers: {
          'accept-language': deps.language(),
          ...(token && { 'x-csrf-token': token }),
          ...(body && { 'content-type': 'application/json' }),
          ...(file && { 'content-type': file.type || 'application/octet-stream' }),
          ...(version !== undefined && { 'if-match': `"${version}"` }),
          ...headers,
        },
        ...(body && { body: JSON.stringify(body) }),
        ...(file && { body: file }),
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

  async function call<T>(path: string, options: Call = {}): Promise<T> {
    const tokenBefore = deps.csrfToken?.();
    let reply = await send(path, options);
    let error = reply.ok ? undefined : await errorOf(reply);
    if (error && (await isCured(error, tokenBefore))) {
      reply = await send(path, options);
      error = reply.ok ? undefined : await errorOf(reply);
    }
    if (error) {
      if (error.status === 401 && path !== '/api/login' && path !== '/api/me') deps.onLoggedOut();
      throw error;
    }
    return (reply.status === 204 ? undefined : await reply.json()) as T;
  }

  // Operations by their name in the API's description, with the types that were generated of it.
  const { ask, all: list } = createClient(({ method, path, ...rest }) =>
    call<unknown>(path, { ...rest, method: method as NonNullable<Call['method']> }),
  );

  return {
    call,
    ask,
    list,

    /** Walks all pages of a list. */
    async all<T>(path: string, query: Query, signal: Signal): Promise<T[]> {
      const items: T[] = [];
      let after: string | undefined;
      do {
        const page = await call<Listing<T>>(path, { query: { ...query, limit: pageSize, after }, signal });
        items.push(...page.items);
        after = page.next ?? undefined;
      } while (after);
      return items;
    },
  };
}

/** What can be given, as a refusal names it. */
function kindsIn(details: unknown): readonly FactorKind[] {
  const { kinds } = (details ?? {}) as { kinds?: unknown };
  return Array.isArray(kinds) ? (kinds as FactorKind[]) : [];
}

/** `?a=1&b=2` of what is given; nothing when nothing is. */
export function queryText(query: Query): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)]],
  );
  return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
}
