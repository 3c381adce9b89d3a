import { hrefOf } from '@parkline/client';
import type {
  FaultQuery,
  FinishBody,
  OrderStepBody,
  PhotoKind,
  WorkOrderQuery,
  WorkOrderSettings,
} from '@parkline/contract';
import type { Caller, Signal } from './caller.ts';

type FaultFilter = Partial<Omit<FaultQuery, 'limit' | 'after'>>;
type OrderFilter = Partial<Omit<WorkOrderQuery, 'limit' | 'after'>>;

/** Where the raw bytes of a photo go. */
export const photoUrl = (orderId: string, kind: PhotoKind): string =>
  hrefOf('createWorkOrderPhoto', { path: { id: orderId }, query: { kind } });

/** Where one photo of an order is read. */
export const photoHref = (orderId: string, photoId: string): string =>
  hrefOf('getWorkOrderPhoto', { path: { id: orderId, photoId } });

interface Page {
  readonly limit: number;
  readonly after?: string | undefined;
}

/** Faults and the orders made for them. A change that met a newer version is refused with 409. */
export function createWorkApi({ ask, list }: Caller) {
  return {
    faults: (query: FaultFilter, signal?: Signal) => list('listFaults', { query }, { signal }),
    faultPage: (query: FaultFilter & Page, signal?: Signal) => ask('listFaults', { query }, { signal }),
    fault: (id: string, signal?: Signal) => ask('getFault', { path: { id } }, { signal }),
    acknowledge: (id: string) => ask('acknowledgeFault', { path: { id } }),

    orders: (query: OrderFilter, signal?: Signal) => list('listWorkOrders', { query }, { signal }),
    orderPage: (query: OrderFilter & Page, signal?: Signal) => ask('listWorkOrders', { query }, { signal }),
    order: (id: string, signal?: Signal) => ask('getWorkOrder', { path: { id } }, { signal }),
    /** Without a technician the server chooses the best fitting one. */
    dispatchOrder: (id: string, body: { version: number; technicianId?: string }) =>
      ask('dispatchWorkOrder', { path: { id }, body }),
    acceptOrder: (id: string, body: OrderStepBody) => ask('acceptWorkOrder', { path: { id }, body }),
    startOrder: (id: string, body: OrderStepBody) => ask('startWorkOrder', { path: { id }, body }),
    finishOrder: (id: string, body: FinishBody) => ask('finishWorkOrder', { path: { id }, body }),
    cancelOrder: (id: string, body: { version: number; note: string }) =>
      ask('cancelWorkOrder', { path: { id }, body }),

    technicians: (signal?: Signal) => list('listTechnicians', {}, { signal }),
    orderSettings: (signal?: Signal) => ask('getWorkOrderSettings', {}, { signal }),
    setOrderSettings: (version: number, body: WorkOrderSettings) =>
      ask('replaceWorkOrderSettings', { body }, { version }),
  };
}
