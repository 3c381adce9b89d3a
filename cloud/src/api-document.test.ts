import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { apiDocument } from './api-document.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly schema: { readonly maximum?: number };
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema?: object }> }>>;
  readonly 'x-permission': string;
  readonly 'x-fresh'?: true;
}

const document = (await apiDocument()) as Record<string, unknown>;
const operations = Object.entries(document['paths'] as Record<string, Record<string, Operation>>).flatMap(
  ([path, byMethod]) => Object.entries(byMethod).map(([method, operation]) => ({ path, method, operation })),
);
const named = (id: string) => operations.find(({ operation }) => operation.operationId === id)!.operation;

test('the description is valid by the schema of OpenAPI 3.1', async () => {
  const validator = new Validator();
  const result = await validator.validate(structuredClone(document));
  expect(result.errors ?? []).toEqual([]);
  expect([result.valid, validator.version]).toEqual([true, '3.1']);
});

test('a description that is none is refused by the same check', async () => {
  const broken = { ...structuredClone(document), paths: { '/api/x': { get: { responses: 'none' } } } };
  expect((await new Validator().validate(broken)).valid).toBe(false);
});

test('every operation has a name of its own, a chapter, a sentence of its own and the permission it asks for', () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  for (const { method, path, operation } of operations) {
    expect(operation.operationId).toMatch(/^[a-z][A-Za-z0-9]+$/);
    // Written beside the route, in its schema: what it does, so that no reader has to guess it from the path.
    expect(operation.summary, `${method} ${path} has no summary in its schema`).toMatch(
      /^[A-Z].{4,69}[^.\s]$/,
    );
    expect(operation['x-permission']).toEqual(expect.any(String));
    if (path.startsWith('/api/')) expect(operation.tags, path).not.toEqual(['Process']);
  }
  const sentences = operations.map(({ operation }) => operation.summary);
  expect(sentences.filter((one, i) => sentences.indexOf(one) !== i)).toEqual([]);
});

test('the chapters come in an order of reading, and none is empty', () => {
  const chapters = (document['tags'] as { name: string; description: string }[]).map(({ name }) => name);
  expect(chapters[0]).toBe('Session');
  expect(new Set(operations.flatMap(({ operation }) => operation.tags))).toEqual(new Set(chapters));
});

test('every parameter says what it is for', () => {
  const silent = operations.flatMap(({ method, path, operation }) =>
    (operation.parameters ?? [])
      .filter(({ description, schema }) => !description && !('description' in schema))
      .map(({ name }) => `${method} ${path} ${name}`),
  );
  expect(silent).toEqual([]);
});

/** Tables: each asks by itself for the permission of its kind, which a key may hold. */
const asking = new Set([
  ...['createImport', 'listImports', 'undoImport', 'listImportKinds'],
  ...['getExport', 'getImportTemplate'],
]);

test('every operation says how it refuses, and who may come by which way', () => {
  for (const { path, operation } of operations) {
    const isOpen = operation['x-permission'] === 'public';
    const refusals = ['400', ...(isOpen ? [] : ['401', '403']), ...(path.includes('{') ? ['404'] : [])];
    expect(Object.keys(operation.responses), path).toEqual(expect.arrayContaining([...refusals, '500']));
    expect(operation.security.length > 0, path).toBe(!isOpen);
    const takesKeys = operation.security.some((one) => 'apiKey' in one);
    const namesIts = operation['x-permission'] !== 'session' || asking.has(operation.operationId);
    expect(takesKeys, path).toBe(!isOpen && !operation['x-fresh'] && namesIts);
  }
  expect(named('listFaults').security).toEqual([{ session: [] }, { apiKey: [] }]);
  expect(named('login').security).toEqual([]);
});

/** A history is no list of things: its samples have a limit of their own, and a span. */
const series = new Set(['listPointHistory']);

test('every list comes in pages of at most 500', () => {
  const lists = operations.filter(
    ({ operation: { operationId } }) => operationId.startsWith('list') && !series.has(operationId),
  );
  expect(lists.length).toBeGreaterThan(10);
  const unbounded = lists.filter(({ operation }) => {
    const query = new Map(operation.parameters?.map((one) => [one.name, one.schema]));
    return !query.has('after') || !((query.get('limit')?.maximum ?? Infinity) <= 500);
  });
  expect(unbounded.map(({ path }) => path)).toEqual([]);
});

test('a body that is a file is told by its media types', () => {
  const photo = named('createWorkOrderPhoto') as unknown as { requestBody: { content: object } };
  expect(Object.keys(photo.requestBody.content)).toContain('image/png');
  expect(Object.keys(named('getWorkOrderPhoto').responses['200']!.content!)).toEqual(['image/webp']);
});

const header = (operation: Operation, name: string) => operation.parameters?.find((one) => one.name === name);

/** What nobody reads before changing it, or what is one value as a whole: no edit of somebody else can be lost. */
const unversioned = [
  ...['deleteApiKey', 'deleteDisplayToken', 'deleteGatewayClaimCode', 'deleteMyLoginLink'],
  ...['deleteMySecondFactor', 'deleteMyOtherSessions', 'deleteMySession'],
  ...['replaceEquipmentSecret', 'deleteEquipmentSecret', 'replaceBusSecret', 'deleteBusSecret'],
];

test('every change and deletion of what has a version demands the one that it was made on', () => {
  const edits = operations.filter(({ method }) => ['put', 'patch', 'delete'].includes(method));
  const without = edits.filter(({ operation }) => !header(operation, 'If-Match')?.required);
  // The first picture of a plan makes the plan; the route demands the version of one that is there.
  expect(without.map(({ operation }) => operation.operationId).sort()).toEqual(
    [...unversioned, 'replaceFloorPlanImage'].sort(),
  );
  expect(named('replaceSite').responses).toHaveProperty('428');
  expect(edits.length - without.length).toBeGreaterThan(20);
});

test('every POST of somebody who is known may be repeated by its Idempotency-Key', () => {
  const posts = operations.filter(({ method, path }) => method === 'post' && path.startsWith('/api/'));
  const open = posts.filter(({ operation }) => operation['x-permission'] === 'public');
  for (const { path, operation } of posts)
    expect(!!header(operation, 'Idempotency-Key'), path).toBe(operation['x-permission'] !== 'public');
  expect(posts.length).toBeGreaterThan(4 * open.length);
});

/** Wholes that have parts: the own few factors, what a span bounds, a sum. */
const wholes = ['getMySecondFactors', 'getMyUsagePointUsage', 'getMySummary'];

test('what answers with things that may become many is a list that pages', () => {
  const items = (operation: Operation): boolean => {
    const schema = operation.responses['200']?.content?.['application/json']?.schema;
    return 'items' in ((schema as { properties?: object } | undefined)?.properties ?? {});
  };
  const unpaged = operations.filter(({ operation }) => items(operation) && !header(operation, 'after'));
  expect(unpaged.map(({ operation }) => operation.operationId).sort()).toEqual([...wholes].sort());
});

/** What one reaches a person by. */
const ADDRESSES = new Set(['email', 'mail', 'phone', 'mobile', 'telephone']);
/** Who may see it: whoever administers the people, or the tenants that they belong to. */
const ADMINISTERING = new Set(['person.read', 'person.write', 'person.tenant', 'tenancy.write']);

/** Whether a schema has a field that holds an address, however deep. */
function holdsAddress(schema: unknown, seen = new Set<unknown>()): boolean {
  if (typeof schema !== 'object' || schema === null || seen.has(schema)) return false;
  seen.add(schema);
  const { properties = {} } = schema as { properties?: object };
  if (Object.keys(properties).some((name) => ADDRESSES.has(name))) return true;
  const { $ref } = schema as { $ref?: unknown };
  if (typeof $ref === 'string') return holdsAddress(atPath($ref), seen);
  return Object.values(schema).some((inner) => holdsAddress(inner, seen));
}

const atPath = ($ref: string): unknown =>
  $ref
    .split('/')
    .slice(1)
    .reduce((at, name) => (at as Record<string, unknown>)[name], document as unknown);

test('addresses of people are in no answer but to who administers them', () => {
  const shown = operations
    .filter(({ operation: { responses } }) =>
      Object.entries(responses).some(([status, { content }]) => status < '300' && holdsAddress(content)),
    )
    .map(({ method, path, operation }) => [`${method} ${path}`, operation['x-permission']] as const);
  expect(shown).toContainEqual(['get /api/people', 'person.read']);
  expect(shown).toContainEqual(['get /api/contacts', 'tenancy.write']);
  expect(shown.filter(([, permission]) => !ADMINISTERING.has(permission))).toEqual([]);
});
