import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Page, TemplateSummary } from '@parkline/contract';
import type { Template } from '@parkline/templates';
import { inLanguage } from '../platform/i18n.ts';

/** What devices can be made from. */
export const templateRoutes =
  ({ templates }: { readonly templates: ReadonlyMap<string, Template> }): FastifyPluginAsyncTypebox =>
  async (app) => {
    app.get(
      '/api/templates',
      {
        schema: {
          summary: 'List the templates that devices are made of',
          response: { 200: Page(TemplateSummary) },
        },
        config: { permission: 'equipment.read' },
      },
      async (request) => ({
        items: [...templates.values()].map(({ id, kind, vendor, model, name, protocol, points }) => ({
          ...{ id, kind, vendor, model, protocol, points: points.length },
          name: inLanguage(name, request.language),
        })),
        next: null,
      }),
    );
  };
