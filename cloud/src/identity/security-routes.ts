import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { createAttempts } from './attempts.ts';
import type { FactorDeps } from './factor-deps.ts';
import { displayRoutes } from './display-routes.ts';
import { factorRoutes } from './factor-routes.ts';
import { type OwnDeps, ownRoutes } from './me-routes.ts';

/** What people do for their own login: second factors, sessions, password; and the tokens of wall screens. */
export const securityRoutes =
  (deps: Omit<FactorDeps & OwnDeps, 'attempts'>): FastifyPluginAsyncTypebox =>
  async (app) => {
    const shared = { ...deps, attempts: createAttempts(deps) };
    await app.register(factorRoutes(shared));
    await app.register(ownRoutes(shared));
    await app.register(displayRoutes(shared));
  };
