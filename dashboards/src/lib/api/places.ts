import type {
  Building,
  BuildingBody,
  Contact,
  ContactBody,
  Floor,
  FloorBody,
  ImportBatch,
  ImportKind,
  ImportResult,
  Lease,
  LeaseBody,
  LeaseRecord,
  MoveBody,
  Site,
  SiteBody,
  Space,
  SpaceBody,
  SpaceRecord,
  SpaceStateBody,
  SpaceStateChange,
  Tenant,
  TenantBody,
  TenantRecord,
} from '@parkline/contract';
import type { Caller, Listing, Signal } from './caller.ts';

/** What can be made, changed and deleted one at a time, by where it is. */
export interface Records {
  sites: { view: Site; body: SiteBody };
  buildings: { view: Building; body: BuildingBody };
  floors: { view: Floor; body: FloorBody };
  spaces: { view: SpaceRecord; body: SpaceBody };
  tenants: { view: TenantRecord; body: TenantBody };
  contacts: { view: Contact; body: ContactBody };
  leases: { view: LeaseRecord; body: LeaseBody };
}
export type RecordName = keyof Records;

const at = (name: RecordName, id: string): string => `/api/${name}/${encodeURIComponent(id)}`;

/** Places, tenants and leases as who keeps them edits them; tables in and out. */
export function createPlacesApi({ call, all }: Caller) {
  return {
    record: <N extends RecordName>(name: N, id: string, signal?: Signal) =>
      call<Records[N]['view']>(at(name, id), { signal }),
    addRecord: <N extends RecordName>(name: N, body: Records[N]['body']) =>
      call<Records[N]['view']>(`/api/${name}`, { method: 'POST', body }),
    changeRecord: <N extends RecordName>(name: N, id: string, version: number, body: Records[N]['body']) =>
      call<Records[N]['view']>(at(name, id), { method: 'PUT', body, version }),
    removeRecord: (name: RecordName, id: string, version: number) =>
      call<undefined>(at(name, id), { method: 'DELETE', version }),

    everySpace: (signal?: Signal) => all<Space>('/api/spaces', {}, signal),
    tenants: (signal?: Signal) => all<Tenant>('/api/tenants', {}, signal),
    leases: (signal?: Signal) => all<Lease>('/api/leases', {}, signal),
    contacts: (tenant: string, signal?: Signal) => all<Contact>('/api/contacts', { tenant }, signal),

    /** Newest first. */
    spaceHistory: async (id: string, signal?: Signal) =>
      (await call<{ items: SpaceStateChange[] }>(`${at('spaces', id)}/history`, { signal })).items,
    setSpaceState: (id: string, version: number, body: SpaceStateBody) =>
      call<SpaceRecord>(`${at('spaces', id)}/state`, { method: 'PUT', body, version }),
    move: (id: string, way: 'in' | 'out', body: MoveBody) =>
      call<LeaseRecord>(`${at('leases', id)}/move-${way}`, { method: 'POST', body }),

    importKinds: async (signal?: Signal) =>
      (await call<{ items: ImportKind[] }>('/api/import-kinds', { signal })).items,
    imports: async (signal?: Signal) =>
      (await call<Listing<ImportBatch>>('/api/imports', { query: { limit: 20 }, signal })).items,
    importFile: (kind: string, file: File, dryRun: boolean) =>
      call<ImportResult>('/api/imports', { method: 'POST', query: { kind, dryRun, file: file.name }, file }),
    undoImport: (id: string) =>
      call<{ rows: number }>(`/api/imports/${encodeURIComponent(id)}/undo`, { method: 'POST' }),
  };
}
