import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { loadTemplates } from '@parkline/templates';
import { busRoutes } from './bus-routes.ts';
import { equipmentRoutes } from './equipment-routes.ts';
import { modelRoutes } from './model-routes.ts';
import { planRoutes } from './plan-routes.ts';
import { pointRoutes } from './point-routes.ts';
import { templateRoutes } from './template-routes.ts';
import type { ThingDeps } from './thing-changes.ts';

/** Equipment, points, buses, floor plans and the model as people keep them. */
export const thingRoutes =
  (given: ThingDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const deps = { ...given, templates: loadTemplates() };
    for (const routes of [equipmentRoutes, pointRoutes, busRoutes, modelRoutes, planRoutes, templateRoutes])
      await app.register(routes(deps));
  };
