import { hrefOf } from '@parkline/client';
import type { EquipmentBody, PlanMarks, PointBody } from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

/** What can be found by its tags. */
export interface ModelFilter {
  readonly filter?: string | undefined;
  readonly unmapped?: boolean | undefined;
  readonly equipment?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

const modelFiles = {
  turtle: 'getModelTurtle',
  hayson: 'getModelHayson',
  zinc: 'getModelZinc',
} as const;

/** Where the model is downloaded. */
export const modelHref = (format: keyof typeof modelFiles): string => hrefOf(modelFiles[format]);

/** Equipment, points and plans as people keep them. A change names the version that it was made on. */
export function createThingsApi({ ask, list }: Caller) {
  return {
    templates: (signal?: Signal) => list('listTemplates', {}, { signal }),
    spacesOf: (building: string, signal?: Signal) => list('listSpaces', { query: { building } }, { signal }),
    modelEquipment: (query: ModelFilter, signal?: Signal) => ask('listModelEquipment', { query }, { signal }),
    modelPoints: (query: ModelFilter, signal?: Signal) => ask('listModelPoints', { query }, { signal }),
    oneEquipment: (id: string, signal?: Signal) => ask('getEquipment', { path: { id } }, { signal }),
    createEquipment: (body: EquipmentBody) => ask('createEquipment', { body }),
    changeEquipment: (id: string, version: number, body: EquipmentBody) =>
      ask('replaceEquipment', { path: { id }, body }, { version }),
    removeEquipment: (id: string, version: number) => ask('deleteEquipment', { path: { id } }, { version }),
    setDeviceToken: (id: string, value: string) =>
      ask('replaceEquipmentSecret', { path: { id, name: 'token' }, body: { value } }),
    createPoint: (equipmentId: string, body: PointBody) =>
      ask('createEquipmentPoint', { path: { id: equipmentId }, body }),
    changePoint: (id: string, version: number, body: PointBody) =>
      ask('replacePoint', { path: { id }, body }, { version }),
    removePoint: (id: string, version: number) => ask('deletePoint', { path: { id } }, { version }),

    /** Ids of the floors that have a plan. */
    plannedFloors: async (signal?: Signal): Promise<ReadonlySet<string>> =>
      new Set((await list('listFloorPlans', {}, { signal })).map(({ floorId }) => floorId)),
    /** Rejects with `not_found` where the floor has none. */
    floorPlan: (floorId: string, signal?: Signal) =>
      ask('getFloorPlan', { path: { id: floorId } }, { signal }),
    setPlanPicture: (floorId: string, version: number | undefined, body: Blob) =>
      ask('replaceFloorPlanImage', { path: { id: floorId }, body }, { version }),
    changePlan: (floorId: string, version: number, body: PlanMarks) =>
      ask('replaceFloorPlan', { path: { id: floorId }, body }, { version }),
  };
}
