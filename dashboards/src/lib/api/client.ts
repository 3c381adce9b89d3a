import type {
  Equipment,
  Gateway,
  History,
  HistoryBy,
  Language,
  LoginBody,
  Me,
  PlaceTree,
  Point,
  SessionState,
  SetupBody,
} from '@parkline/contract';
import { createContext } from 'svelte';
import { ApiError, errorOf } from './errors.ts';

export interface ApiDeps {
  fetch: typeof fetch;
  /** Names and error sentences come in this language. */
  language(): Language;
  /** Told when the server no longer knows the session; not for a refused login. */
  onLoggedOut(): void;
}

type Query = Record<string, string | number | undefined>;
interface Call {
  readonly method?: 'GET' | 'POST';
  readonly query?: Query;
  readonly body?: object;
  readonly signal?: AbortSignal | undefined;
}
interface Listing<T> {
  readonly items: T[];
  readonly next: string | null;
}

/** Ends a read when the page that asked for it is gone. */
export type Signal = AbortSignal | undefined;

export type Api = ReturnType<typeof createApi>;

const pageSize = 500;

/** The server's API as functions. Every one rejects with {@link ApiError}, or AbortError when its signal ends it. */
export function createApi(deps: ApiDeps) {
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

  /** Walks all pages of a list. */
  async function all<T>(path: string, query: Query, signal: Signal): Promise<T[]> {
    const items: T[] = [];
    let after: string | undefined;
    do {
      const page = await call<Listing<T>>(path, { query: { ...query, limit: pageSize, after }, signal });
      items.push(...page.items);
      after = page.next ?? undefined;
    } while (after);
    return items;
  }

  return {
    login: (body: LoginBody) => call<undefined>('/api/login', { method: 'POST', body }),
    logout: () => call<undefined>('/api/logout', { method: 'POST' }),
    /** Never refused, so that asking leaves no error in the browser's console. */
    session: (signal?: Signal) => call<SessionState>('/api/session', { signal }),
    me: (signal?: Signal) => call<Me>('/api/me', { signal }),
    setupState: (signal?: Signal) => call<{ needed: boolean }>('/api/setup', { signal }),
    setup: (body: SetupBody) => call<undefined>('/api/setup', { method: 'POST', body }),
    places: (signal?: Signal) => call<PlaceTree>('/api/places', { signal }),
    equipment: (signal?: Signal) => all<Equipment>('/api/equipment', {}, signal),
    gateways: async (signal?: Signal) => (await call<Listing<Gateway>>('/api/gateways', { signal })).items,
    points: (filter: { equipment?: string; building?: string } = {}, signal?: Signal) =>
      all<Point>('/api/points', filter, signal),

    /** `from` inclusive, `to` exclusive, both Unix ms. All pages as one history. */
    async history(
      id: string,
      range: { from: number; to: number; by: HistoryBy },
      signal?: Signal,
    ): Promise<History> {
      const query = {
        from: new Date(range.from).toISOString(),
        to: new Date(range.to).toISOString(),
        by: range.by,
      };
      const read = (after?: string) =>
        call<History>(`/api/points/${encodeURIComponent(id)}/history`, {
          query: { ...query, after },
          signal,
        });
      const whole = await read();
      let { next } = whole;
      while (next) {
        const more = await read(next);
        whole.items.push(...more.items);
        whole.gaps.push(...more.gaps);
        next = more.next;
      }
      return { ...whole, next: null };
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

export const [getApi, setApi] = createContext<Api>();
