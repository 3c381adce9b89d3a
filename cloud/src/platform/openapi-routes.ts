import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import { openapiOptions } from './openapi.ts';

/** The one style element that the page of @fastify/swagger-ui 6.1.3 makes at run time, by its hash; a test counts what else is refused. */
const PAGE_STYLE = "'sha256-RL3ie0nH+Lzz2YNqQN83mnU0J1ot4QL7b99vMdIX99w='";

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
      theme: { title: 'Parkline API' },
      staticCSP: false,
      transformStaticCSP: (policy) => policy.replace("style-src 'self'", `style-src 'self' ${PAGE_STYLE}`),
      uiConfig: {
        layout: 'BaseLayout',
        deepLinking: true,
        docExpansion: 'none',
        filter: true,
        tryItOutEnabled: false,
      },
    });
  });
}
