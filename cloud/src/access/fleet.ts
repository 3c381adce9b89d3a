import { builders, engineer, lookers, type Routes } from './routes.ts';

const approvers = [...engineer, 'supervisor'] as const;

export const fleet: Routes = {
  'GET /api/gateways': { who: [...builders, 'executive'] },
  'GET /api/gateways/:id/reports': { who: [...builders, 'executive'] },
  'GET /api/equipment': { who: [...lookers, 'installer'] },
  'GET /api/equipment/:id': { who: [...lookers, 'installer'] },
  'POST /api/points/:id/commands': { who: engineer, body: { value: 1, reason: 'to see' } },
  'GET /api/commands': { who: approvers },
  'GET /api/commands/:id': { who: approvers },
  'POST /api/commands/:id/approve': { who: approvers },
  'POST /api/commands/:id/reject': { who: approvers },
  'POST /api/commands/:id/cancel': { who: engineer },
};
