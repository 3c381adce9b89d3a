import { hrefOf } from '@parkline/client';
import type {
  Account,
  AccountPatch,
  Building,
  BuildingBody,
  Contact,
  ContactBody,
  Floor,
  FloorBody,
  LeaseBody,
  LeaseRecord,
  MoveBody,
  Site,
  SiteBody,
  SpaceBody,
  SpaceRecord,
  SpaceStateBody,
  TenantBody,
  TenantRecord,
} from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

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

const operationsOf = {
  sites: { get: 'getSite', add: 'createSite', change: 'replaceSite', remove: 'deleteSite' },
  buildings: {
    get: 'getBuilding',
    add: 'createBuilding',
    change: 'replaceBuilding',
    remove: 'deleteBuilding',
  },
  floors: { get: 'getFloor', add: 'createFloor', change: 'replaceFloor', remove: 'deleteFloor' },
  spaces: { get: 'getSpace', add: 'createSpace', change: 'replaceSpace', remove: 'deleteSpace' },
  tenants: { get: 'getTenant', add: 'createTenant', change: 'replaceTenant', remove: 'deleteTenant' },
  contacts: { get: 'getContact', add: 'createContact', change: 'replaceContact', remove: 'deleteContact' },
  leases: { get: 'getLease', add: 'createLease', change: 'replaceLease', remove: 'deleteLease' },
} as const;

export type SheetFormat = 'csv' | 'xlsx';

/** Where the empty table of a kind, with its headers, is downloaded. */
export const templateHref = (kind: string, format: SheetFormat): string =>
  hrefOf('getImportTemplate', { path: { name: `${kind}.${format}` } });
/** Where all of a kind is downloaded, as a table that can be changed and brought in again. */
export const exportHref = (kind: string, format: SheetFormat): string =>
  hrefOf('getExport', { path: { name: `${kind}.${format}` } });

/** Places, tenants and leases as who keeps them edits them; tables in and out. */
export function createPlacesApi({ ask, list }: Caller) {
  // Each kind's operations answer with that kind: what TypeScript cannot see through the table is said here.
  const of = (name: RecordName) => operationsOf[name];
  type View<N extends RecordName> = Promise<Records[N]['view']>;
  return {
    record: <N extends RecordName>(name: N, id: string, signal?: Signal) =>
      ask(of(name).get, { path: { id } }, { signal }) as View<N>,
    addRecord: <N extends RecordName>(name: N, body: Records[N]['body']) =>
      ask(of(name).add, { body }) as View<N>,
    changeRecord: <N extends RecordName>(name: N, id: string, version: number, body: Records[N]['body']) =>
      ask(of(name).change, { path: { id }, body }, { version }) as View<N>,
    removeRecord: (name: RecordName, id: string, version: number) =>
      ask(of(name).remove, { path: { id } }, { version }),

    /** Whose park it is. */
    account: (signal?: Signal) => ask('getAccount', {}, { signal }),
    changeAccount: ({ version }: Account, body: AccountPatch) => ask('changeAccount', { body }, { version }),

    everySpace: (signal?: Signal) => list('listSpaces', {}, { signal }),
    tenants: (signal?: Signal) => list('listTenants', {}, { signal }),
    leases: (signal?: Signal) => list('listLeases', {}, { signal }),
    leasesOf: (tenant: string, signal?: Signal) => list('listLeases', { query: { tenant } }, { signal }),
    contacts: (tenant: string, signal?: Signal) => list('listContacts', { query: { tenant } }, { signal }),

    /** Newest first. */
    spaceHistory: (id: string, signal?: Signal) => list('listSpaceHistory', { path: { id } }, { signal }),
    setSpaceState: (id: string, version: number, body: SpaceStateBody) =>
      ask('replaceSpaceState', { path: { id }, body }, { version }),
    /** What is read when the spaces of a lease change hands. */
    leaseMeters: (id: string, signal?: Signal) => list('listLeaseMeters', { path: { id } }, { signal }),
    move: (id: string, way: 'in' | 'out', body: MoveBody) =>
      ask(way === 'in' ? 'moveIn' : 'moveOut', { path: { id }, body }),

    importKinds: (signal?: Signal) => list('listImportKinds', {}, { signal }),
    imports: async (signal?: Signal) =>
      (await ask('listImports', { query: { limit: 20 } }, { signal })).items,
    /** `dryRun` stores nothing. Rejects with the faults in `details` when there are some and something was to be stored. */
    importFile: (kind: string, file: File, dryRun: boolean) =>
      ask('createImport', { query: { kind, dryRun, file: file.name }, body: file }),
    undoImport: (id: string) => ask('undoImport', { path: { id } }),
  };
}
