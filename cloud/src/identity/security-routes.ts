import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { createAttempts } from './attempts.ts';
import type { FactorDeps } from './factor-deps.ts';
import { factorRoutes } from './factor-routes.ts';
import { type OwnDeps, ownRoutes } from './me-routes.ts';

/** What people do for their own login: second factors, sessions, password. */
export const securityRoutes =
  (deps: Omit<FactorDeps & OwnDeps, 'attempts'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const shared = { ...deps, attempts: createAttempts(deps) };
    await app.register(factorRoutes(shared));
    await app.register(ownRoutes(shared));
  };
