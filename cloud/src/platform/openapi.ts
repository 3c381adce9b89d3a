import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { ErrorReply } from '@parkline/contract';
import type { RouteOptions } from 'fastify';
import { type ErrorCode, statusOf } from './errors.ts';
import { operationName } from './openapi-names.ts';
import { type Chapter, chapters, parameterWords } from './openapi-words.ts';
import { type IfMatch, ifMatchOf } from './versions.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Where the route stands in the description of the API: its tag. */
    chapter?: Chapter;
    /** Media types of a body that is a file as it is, and not JSON. */
    takes?: readonly string[];
    /** Media types of an answer that is a file or a stream, and not JSON. */
    gives?: readonly string[];
  }
}

type Doc = Readonly<Record<string, unknown>>;
interface Operation extends Record<string, unknown> {
  readonly 'x-permission'?: string;
  'x-takes'?: readonly string[];
  'x-gives'?: readonly string[];
  'x-if-match'?: IfMatch;
  parameters?: Doc[];
  requestBody?: { content: Record<string, unknown>; [key: string]: unknown };
  responses: Record<string, Record<string, unknown>>;
}

/** Browsers come with the cookie of their session, programs with a key. Names of `components.securitySchemes`. */
const session = { session: [] };
const apiKey = { apiKey: [] };

/** How the description of the API is made of the routes: one value for validation, types, server and file. */
export const openapiOptions = (publicUrl: string | undefined): FastifyDynamicSwaggerOptions => ({
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Parkline',
      version: '1',
      description:
        'The API that the portal itself uses. Errors have one shape: `code` for programs, `message` for people in the ' +
        'language of Accept-Language, `details` about what. Lists come in pages: `limit`, and `next` goes back as `after`.',
    },
    servers: [{ url: publicUrl ?? '/' }],
    components: {
      securitySchemes: {
        session: {
          type: 'apiKey',
          in: 'cookie',
          name: publicUrl?.startsWith('https:') ? '__Host-parkline_session' : 'parkline_session',
          description: 'The session of a browser, opened by POST /api/login.',
        },
        apiKey: {
          type: 'http',
          scheme: 'bearer',
          description: 'A key of a program: `Authorization: Bearer pk_…`.',
        },
      },
    },
  },
  transform: ({ schema, url, route }) => ({ schema: described(schema as Doc | undefined, url, route), url }),
  transformObject: (made) => {
    if (!('openapiObject' in made)) return made.swaggerObject;
    withErrors(made.openapiObject as unknown as Document);
    return withTuples(made.openapiObject);
  },
});

/** @returns the schema of a route with what its declaration says beyond it. */
function described(schema: Doc = {}, url: string, route: RouteOptions): Doc {
  if (schema['hide']) return schema;
  const { permission, fresh, keys, chapter = 'Process', takes, gives } = route.config ?? {};
  const ifMatch = ifMatchOf(String(route.method), route.config);
  const isList = isPage((schema['response'] as Doc | undefined)?.['200']);
  const operationId = operationName(String(route.method), url, isList);
  const isKeyless = (permission === 'session' && !keys) || fresh;
  return {
    ...{ operationId, tags: [chapter] },
    ...schema,
    'x-permission': permission,
    ...(fresh && { 'x-fresh': true }),
    ...(takes && { 'x-takes': takes }),
    ...(gives && { 'x-gives': gives }),
    ...(ifMatch !== 'none' && { 'x-if-match': ifMatch }),
    security: permission === 'public' ? [] : isKeyless ? [session] : [session, apiKey],
  };
}

/** Whether a reply is a page of a list. */
export const isPage = (schema: unknown): boolean => {
  const properties = (schema as { properties?: Doc } | undefined)?.properties;
  return properties !== undefined && 'items' in properties && 'next' in properties;
};

interface Document {
  components: { responses?: object; schemas?: object; parameters?: object };
  tags?: object[];
  paths: Record<string, Record<string, Operation>>;
}

/** Refusals that any route, or any of its kind, can give, beside those that its own schema names. */
function refusalsOf(method: string, path: string, { requestBody, ...operation }: Operation): ErrorCode[] {
  const ifMatch = operation['x-if-match'];
  const isOpen = operation['x-permission'] === 'public';
  const changes = method !== 'get';
  return [
    'bad_input',
    ...(isOpen ? [] : (['not_logged_in', 'forbidden'] as const)),
    ...(path.includes('{') ? (['not_found'] as const) : []),
    ...(changes ? (['foreign_origin', 'conflict'] as const) : []),
    ...(ifMatch ? (['stale_edit', 'precondition_required'] as const) : []),
    ...(method === 'post' && !isOpen ? (['in_progress', 'already_done', 'unprocessable'] as const) : []),
    ...(requestBody ? (['too_large', 'unsupported_media'] as const) : []),
    ...(path.startsWith('/api/') ? (['too_many_requests'] as const) : []),
    'internal',
  ];
}

const reply = (codes: readonly ErrorCode[]): object => ({
  description: `Refused: ${codes.map((code) => `\`${code}\``).join(', ')}.`,
  ...(codes.includes('too_many_requests') && {
    headers: { 'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer', minimum: 1 } } },
  }),
  content: {
    'application/json': {
      schema: { $ref: '#/components/schemas/ErrorReply' },
      example: { code: codes[0], message: 'A sentence in the language of Accept-Language.' },
    },
  },
});

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Chosen by the sender, kept 24 h: the same request with the same key is carried out once and answered the same.',
  schema: { type: 'string', minLength: 1, maxLength: 200, pattern: '^[!-~]+$' },
  example: '0198f3a2-6a54-7c1e-9a0d-3b8f1c0e7d55',
};

const ifMatchHeader = (ifMatch: IfMatch): Doc => ({
  name: 'If-Match',
  in: 'header',
  required: ifMatch === 'demanded',
  description:
    'The ETag that the thing was read with, or just its version: what somebody else saved meanwhile is not overwritten.' +
    (ifMatch === 'demanded' ? '' : ' Needed where there is one already.'),
  schema: { type: 'string' },
  example: '"3"',
});

/** Adds the refusals and the headers that routes of a kind share. */
function withErrors(document: Document): void {
  document.components.schemas = { ...document.components.schemas, ErrorReply };
  for (const [path, operations] of Object.entries(document.paths))
    for (const [method, operation] of Object.entries(operations)) {
      nameFiles(operation);
      describeParameters(operation);
      const byStatus = Map.groupBy(refusalsOf(method, path, operation), (code) => statusOf[code]);
      for (const [status, codes] of byStatus) operation.responses[status] ??= { ...reply(codes) };
      if (byStatus.has(422)) (operation.parameters ??= []).push(idempotencyKey);
      const { 'x-if-match': ifMatch } = operation;
      if (ifMatch) (operation.parameters ??= []).push(ifMatchHeader(ifMatch));
      delete operation['x-if-match'];
    }
  document.tags = Object.entries(chapters).map(([name, description]) => ({ name, description }));
}

/** Tuples as the schemas of 2020-12, those of OpenAPI 3.1, write them: our validator takes those of draft 7. Pure. */
function withTuples<T>(part: T): T {
  if (Array.isArray(part)) return part.map(withTuples) as T;
  if (typeof part !== 'object' || part === null) return part;
  const { items, additionalItems: _none, ...rest } = part as Record<string, unknown>;
  const schema = Array.isArray(items) ? { ...rest, prefixItems: items, maxItems: items.length } : part;
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withTuples(value)])) as T;
}

const fileOf = (types: readonly string[]): Record<string, object> =>
  Object.fromEntries(
    types.map((type) => [type, type.startsWith('text/') ? { schema: { type: 'string' } } : {}]),
  );

/** Bodies and answers that are files have no schema but a media type (OpenAPI 3.1.0 clause 4.8.14.2). */
function nameFiles(operation: Operation): void {
  const { 'x-takes': takes, 'x-gives': gives } = operation;
  if (takes)
    operation.requestBody = { description: 'The file as it is.', required: true, content: fileOf(takes) };
  const answer = operation.responses['200'];
  if (gives && answer) Object.assign(answer, { description: 'The file as it is.', content: fileOf(gives) });
  delete operation['x-takes'];
  delete operation['x-gives'];
}

interface Parameter {
  readonly name: string;
  required?: boolean;
  description?: string;
  schema?: object;
}

/** Says what each is for. What has a default need not be sent, although it is always there once it was filled in. */
function describeParameters({ parameters = [] }: Operation): void {
  for (const parameter of parameters as unknown as Parameter[]) {
    if (parameter.schema && 'default' in parameter.schema) parameter.required = false;
    const words = parameterWords[parameter.name];
    if (words !== undefined) parameter.description ??= words;
  }
}
