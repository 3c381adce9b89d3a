import type { History, HistoryBy, LoginBody, SetupBody } from '@parkline/contract';
import { createContext } from 'svelte';
import { createCaller, type ApiDeps, type Caller, type Signal } from './caller.ts';
import { createAuditApi } from './audit.ts';
import { createBusApi } from './buses.ts';
import { createCommandApi } from './commands.ts';
import { createCommissioningApi } from './commissioning.ts';
import { createGatewayApi } from './gateways.ts';
import { createIntegrationsApi } from './integrations.ts';
import { createMoneyApi } from './money.ts';
import { createPeopleApi } from './people.ts';
import { createPlacesApi } from './places.ts';
import { createSecurityApi } from './security.ts';
import { createThingsApi } from './things.ts';
import { type Upload, upload } from './upload.ts';
import { createWorkApi } from './work.ts';

export { hrefOf, queryText } from '@parkline/client';
export type { ApiDeps, Listing, Signal } from './caller.ts';

export type Api = ReturnType<typeof createApi>;

/** The server's API as functions. Every one rejects with ApiError, or AbortError when its signal ends it. */
export function createApi(deps: ApiDeps) {
  const caller = createCaller(deps);
  return {
    ...createParkApi(caller),
    ...createThingsApi(caller),
    ...createWorkApi(caller),
    ...createGatewayApi(caller),
    ...createMoneyApi(caller),
    ...createPeopleApi(caller),
    ...createPlacesApi(caller),
    ...createCommandApi(caller),
    ...createIntegrationsApi(caller),
    ...createAuditApi(caller),
    ...createBusApi(caller),
    ...createCommissioningApi(caller),
    ...createSecurityApi(caller),
    /** Sends a file with progress. */
    upload: (file: Upload) => caller.attempt(() => upload(file)),
  };
}

/** People, places, devices and what they read. */
function createParkApi({ ask, list }: Caller) {
  return {
    login: (body: LoginBody) => ask('login', { body }),
    logout: () => ask('logout'),
    /** Never refused, so that asking leaves no error in the browser's console. */
    session: (signal?: Signal) => ask('getSession', {}, { signal }),
    me: (signal?: Signal) => ask('getMe', {}, { signal }),
    setupState: (signal?: Signal) => ask('getSetup', {}, { signal }),
    setup: (body: SetupBody) => ask('setup', { body }),
    places: (signal?: Signal) => ask('getPlaces', {}, { signal }),
    equipment: (signal?: Signal) => list('listEquipment', {}, { signal }),
    gateways: (signal?: Signal) => list('listGateways', {}, { signal }),
    /** Newest first; `limit` of them at most. */
    gatewayReports: async (id: string, limit: number, signal?: Signal) =>
      (await ask('listGatewayReports', { path: { id }, query: { limit } }, { signal })).items,
    points: (filter: { equipment?: string; building?: string } = {}, signal?: Signal) =>
      list('listPoints', { query: filter }, { signal }),

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
        ask('listPointHistory', { path: { id }, query: { ...query, after } }, { signal });
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
