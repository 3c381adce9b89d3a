import type { Language } from '@parkline/contract';
import { ApiError, errorOf } from './errors.ts';

export interface ApiDeps {
  fetch: typeof fetch;
  /** Names and error sentences come in this language. */
  language(): Language;
  /** Told when the server no longer knows the session; not for a refused login. */
  onLoggedOut(): void;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** Ends a read when the page that asked for it is gone. */
export type Signal = AbortSignal | undefined;

interface Call {
  readonly method?: 'GET' | 'POST' | 'PUT';
  readonly query?: Query;
  readonly body?: object;
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
  async function call<T>(path: string, { method = 'GET', query = {}, body, signal }: Call = {}): Promise<T> {
    const reply = await deps
      .fetch(path + queryText(query), {
        method,
        headers: {
          'accept-language': deps.language(),
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      })
      .catch((cause: unknown) => {
        if (signal?.aborted) throw cause;
        throw new ApiError(0, { code: 'offline', message: 'no reply from the server' }, { cause });
      });
    if (!reply.ok) {
      if (reply.status === 401 && path !== '/api/login' && path !== '/api/me') deps.onLoggedOut();
      throw await errorOf(reply);
    }
    return (reply.status === 204 ? undefined : await reply.json()) as T;
  }

  return {
    call,

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

/** `?a=1&b=2` of what is given; nothing when nothing is. */
export function queryText(query: Query): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)]],
  );
  return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
}
