import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { openapiOptions } from './openapi.ts';

/** /openapi.json describes the routes that are registered after this; /docs shows it to people, with no other site's help. */
export async function documentApi(app: FastifyInstance, publicUrl: string | undefined): Promise<void> {
  await app.register(swagger, openapiOptions(publicUrl));
  app.get('/openapi.json', { config: { permission: 'public' }, schema: { hide: true } }, () => app.swagger());
  // The plugin declares its own routes and cannot be told a permission: the scope gives it to them.
  await app.register(async (scope) => {
    scope.addHook('onRoute', (route) => {
      route.config = { ...route.config, permission: 'public' };
    });
    await scope.register(swaggerUi, {
      routePrefix: '/docs',
      staticCSP: false,
      uiConfig: { deepLinking: true, docExpansion: 'none', filter: true, tryItOutEnabled: false },
    });
  });
}
