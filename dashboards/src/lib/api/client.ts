import type {
  Equipment,
  Gateway,
  GatewayReport,
  History,
  HistoryBy,
  LoginBody,
  Me,
  PlaceTree,
  Point,
  SessionState,
  SetupBody,
} from '@parkline/contract';
import { createContext } from 'svelte';
import { createCaller, type ApiDeps, type Caller, type Listing, type Signal } from './caller.ts';
import { createAuditApi } from './audit.ts';
import { createCommandApi } from './commands.ts';
import { createCommissioningApi } from './commissioning.ts';
import { createMoneyApi } from './money.ts';
import { createSecurityApi } from './security.ts';
import { createThingsApi } from './things.ts';
import { createWorkApi } from './work.ts';

export { queryText, type ApiDeps, type Listing, type Signal } from './caller.ts';

export type Api = ReturnType<typeof createApi>;

/** The server's API as functions. Every one rejects with ApiError, or AbortError when its signal ends it. */
export function createApi(deps: ApiDeps) {
  const caller = createCaller(deps);
  return {
    ...createParkApi(caller),
    ...createThingsApi(caller),
    ...createWorkApi(caller),
    ...createMoneyApi(caller),
    ...createCommandApi(caller),
    ...createAuditApi(caller),
    ...createSecurityApi(caller),
  };
}

    ...createCommissioningApi(caller),
/** People, places, devices and what they read. */
function createParkApi({ call, all }: Caller) {
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
    gateways: (signal?: Signal) => all<Gateway>('/api/gateways', {}, signal),
    /** Newest first; `limit` of them at most. */
    gatewayReports: async (id: string, limit: number, signal?: Signal) =>
      (
        await call<Listing<GatewayReport>>(`/api/gateways/${encodeURIComponent(id)}/reports`, {
          query: { limit },
          signal,
        })
      ).items,
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

export const [getApi, setApi] = createContext<Api>();
