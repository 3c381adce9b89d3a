import { engineer, field, lead, type Routes } from './routes.ts';

const orders = [...engineer, ...field, 'executive'] as const;
const alarms = [...orders, 'guard'] as const;
const version = { version: 1 };

/** Faults and work orders. */
export const work: Routes = {
  'GET /api/faults': { who: alarms },
  'GET /api/faults/:id': { who: alarms },
  'POST /api/faults/:id/acknowledge': { who: [...engineer, 'supervisor'] },
  'GET /api/fault-rules': { who: alarms },
  'GET /api/fault-rules/:key': { who: alarms },
  'PUT /api/fault-rules/:key': { who: engineer, body: { enabled: true, forS: 60, limit: null } },
  'GET /api/work-orders': { who: orders },
  'GET /api/work-orders/:id': { who: orders },
  'POST /api/work-orders/:id/dispatch': { who: lead, body: version },
  'POST /api/work-orders/:id/accept': { who: field, body: version },
  'POST /api/work-orders/:id/start': { who: field, body: version },
  'POST /api/work-orders/:id/finish': { who: field, body: version },
  'POST /api/work-orders/:id/cancel': { who: lead, body: { ...version, note: 'not needed' } },
  'POST /api/work-orders/:id/photos': {
    who: field,
    query: 'kind=after',
    raw: { type: 'image/png', text: 'no picture' },
  },
  'GET /api/work-orders/:id/photos/:photoId': { who: orders },
  'GET /api/technicians': { who: lead },
  'GET /api/work-order-settings': { who: orders },
  'PUT /api/work-order-settings': { who: lead, body: { acceptWithinMin: 15 } },
};
