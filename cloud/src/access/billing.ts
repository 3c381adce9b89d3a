import { money, type Routes } from './routes.ts';

const tenant = ['tenant_admin'] as const;

export const billing: Routes = {
  'GET /api/my/summary': { who: tenant },
  'GET /api/my/usage-points': { who: tenant },
  'GET /api/my/usage-points/:id/usage': {
    who: tenant,
    query: 'from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z&by=day',
  },
  'GET /api/billing-runs': { who: money },
  'GET /api/billing-runs/:id': { who: money },
  'GET /api/statements/:id': { who: money },
  'GET /api/statement-lines/:id/intervals': { who: money },
};
