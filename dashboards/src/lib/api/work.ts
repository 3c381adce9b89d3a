import type {
  Fault,
  FaultQuery,
  FinishBody,
  OrderStepBody,
  PhotoKind,
  Technician,
  WorkOrder,
  WorkOrderDetail,
  WorkOrderQuery,
  WorkOrderSettings,
} from '@parkline/contract';
import type { Caller, Listing, Signal } from './caller.ts';

type FaultFilter = Partial<Omit<FaultQuery, 'limit' | 'after'>>;
type OrderFilter = Partial<Omit<WorkOrderQuery, 'limit' | 'after'>>;

/** Where the raw bytes of a photo go. */
export const photoUrl = (orderId: string, kind: PhotoKind): string =>
  `/api/work-orders/${encodeURIComponent(orderId)}/photos?kind=${kind}`;

/** Where one photo of an order is read. */
export const photoHref = (orderId: string, photoId: string): string =>
  `/api/work-orders/${encodeURIComponent(orderId)}/photos/${encodeURIComponent(photoId)}`;

/** Faults and the orders made for them. A change that met a newer version is refused with 409. */
export function createWorkApi({ call, all }: Caller) {
  const order = (id: string) => `/api/work-orders/${encodeURIComponent(id)}`;
  const step = (name: string) => (id: string, body: OrderStepBody) =>
    call<WorkOrder>(`${order(id)}/${name}`, { method: 'POST', body });

  return {
    faults: (filter: FaultFilter, signal?: Signal) => all<Fault>('/api/faults', filter, signal),
    faultPage: (filter: FaultFilter & { limit: number; after?: string | undefined }, signal?: Signal) =>
      call<Listing<Fault>>('/api/faults', { query: filter, signal }),
    fault: (id: string, signal?: Signal) => call<Fault>(`/api/faults/${encodeURIComponent(id)}`, { signal }),
    acknowledge: (id: string) =>
      call<Fault>(`/api/faults/${encodeURIComponent(id)}/acknowledge`, { method: 'POST' }),

    orders: (filter: OrderFilter, signal?: Signal) => all<WorkOrder>('/api/work-orders', filter, signal),
    orderPage: (filter: OrderFilter & { limit: number; after?: string | undefined }, signal?: Signal) =>
      call<Listing<WorkOrder>>('/api/work-orders', { query: filter, signal }),
    order: (id: string, signal?: Signal) => call<WorkOrderDetail>(order(id), { signal }),
    /** Without a technician the server chooses the best fitting one. */
    dispatchOrder: (id: string, body: { version: number; technicianId?: string }) =>
      call<WorkOrder>(`${order(id)}/dispatch`, { method: 'POST', body }),
    acceptOrder: step('accept'),
    startOrder: step('start'),
    finishOrder: (id: string, body: FinishBody) =>
      call<WorkOrder>(`${order(id)}/finish`, { method: 'POST', body }),
    cancelOrder: (id: string, body: { version: number; note: string }) =>
      call<WorkOrder>(`${order(id)}/cancel`, { method: 'POST', body }),

    technicians: async (signal?: Signal) =>
      (await call<Listing<Technician>>('/api/technicians', { signal })).items,
    orderSettings: (signal?: Signal) => call<WorkOrderSettings>('/api/work-order-settings', { signal }),
    setOrderSettings: (body: WorkOrderSettings) =>
      call<WorkOrderSettings>('/api/work-order-settings', { method: 'PUT', body }),
  };
}
