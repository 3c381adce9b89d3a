import { roles } from '@parkline/contract';
import type { Routes } from './routes.ts';

export const places: Routes = {
  'GET /api/places': { who: roles },
};
