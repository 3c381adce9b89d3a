import { engineer, field, lookers, type Routes } from './routes.ts';

const span = 'from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z';

export const telemetry: Routes = {
  'GET /api/points': { who: lookers },
  'GET /api/points/:id/history': {
    who: [...engineer, ...field, 'finance_officer', 'guard', 'executive'],
    query: span,
  },
  'GET /api/live': { who: lookers },
};
