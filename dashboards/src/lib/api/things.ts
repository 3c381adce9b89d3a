import type {
  EquipmentBody,
  EquipmentDetail,
  FloorPlan,
  ImportResult,
  PlanMarks,
  PointBody,
  PointDetail,
  Removed,
  Space,
  TemplateSummary,
} from '@parkline/contract';
import type { Caller, Listing, Signal } from './caller.ts';

/** What can be found by its tags. */
export interface ModelFilter {
  readonly filter?: string | undefined;
  readonly unmapped?: boolean | undefined;
  readonly equipment?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

export type ThingSheet = 'equipment' | 'points';

/** Equipment, points and plans as people keep them. A change names the version that it was made on. */
export function createThingsApi({ call, all }: Caller) {
  const at = (path: string, id: string) => `${path}/${encodeURIComponent(id)}`;
  const plan = (floorId: string) => `${at('/api/floors', floorId)}/plan`;
  return {
    templates: async (signal?: Signal) =>
      (await call<Listing<TemplateSummary>>('/api/templates', { signal })).items,
    spacesOf: (building: string, signal?: Signal) => all<Space>('/api/spaces', { building }, signal),
    modelEquipment: (query: ModelFilter, signal?: Signal) =>
      call<Listing<EquipmentDetail>>('/api/model/equipment', { query: { ...query }, signal }),
    modelPoints: (query: ModelFilter, signal?: Signal) =>
      call<Listing<PointDetail>>('/api/model/points', { query: { ...query }, signal }),
    oneEquipment: (id: string, signal?: Signal) =>
      call<EquipmentDetail>(at('/api/equipment', id), { signal }),
    createEquipment: (body: EquipmentBody) =>
      call<EquipmentDetail>('/api/equipment', { method: 'POST', body }),
    changeEquipment: (id: string, version: number, body: EquipmentBody) =>
      call<EquipmentDetail>(at('/api/equipment', id), { method: 'PUT', version, body }),
    removeEquipment: (id: string, version: number) =>
      call<Removed>(at('/api/equipment', id), { method: 'DELETE', version }),
    setDeviceToken: (id: string, value: string) =>
      call<unknown>(`${at('/api/equipment', id)}/secrets/token`, { method: 'PUT', body: { value } }),
    createPoint: (equipmentId: string, body: PointBody) =>
      call<PointDetail>(`${at('/api/equipment', equipmentId)}/points`, { method: 'POST', body }),
    changePoint: (id: string, version: number, body: PointBody) =>
      call<PointDetail>(at('/api/points', id), { method: 'PUT', version, body }),
    removePoint: (id: string, version: number) =>
      call<Removed>(at('/api/points', id), { method: 'DELETE', version }),

    /** `dryRun` stores nothing. Rejects with the faults in `details` when there are some and something was to be stored. */
    importThings: (kind: ThingSheet, file: File, dryRun: boolean) =>
      call<ImportResult>('/api/imports', { method: 'POST', query: { kind, dryRun, file: file.name }, file }),
    undoImport: (batchId: string) => call<unknown>(`${at('/api/imports', batchId)}/undo`, { method: 'POST' }),

    /** Rejects with `not_found` where the floor has none. */
    floorPlan: (floorId: string, signal?: Signal) => call<FloorPlan>(plan(floorId), { signal }),
    setPlanPicture: (floorId: string, version: number | undefined, file: Blob) =>
      call<FloorPlan>(`${plan(floorId)}/image`, { method: 'PUT', version, file }),
    changePlan: (floorId: string, version: number, body: PlanMarks) =>
      call<FloorPlan>(plan(floorId), { method: 'PUT', version, body }),
  };
}
