import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { apiDocument } from './api-document.ts';

interface Parameter {
  readonly name: string;
  readonly in: string;
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

test('every operation has a name of its own, a slice, a sentence and the permission it asks for', () => {
  const ids = operations.map(({ operation }) => operation.operationId);
  expect(ids.filter((id, i) => ids.indexOf(id) !== i)).toEqual([]);
  for (const { path, operation } of operations) {
    expect(operation.operationId).toMatch(/^[a-z][A-Za-z0-9]+$/);
    expect(operation.summary).toMatch(/^[A-Z]/);
    expect(operation['x-permission']).toEqual(expect.any(String));
    if (path.startsWith('/api/')) expect(operation.tags, path).not.toEqual(['process']);
  }
});

test('every operation says how it refuses, and who may come by which way', () => {
  for (const { path, operation } of operations) {
    const isOpen = operation['x-permission'] === 'public';
    const refusals = ['400', ...(isOpen ? [] : ['401', '403']), ...(path.includes('{') ? ['404'] : [])];
    expect(Object.keys(operation.responses), path).toEqual(expect.arrayContaining([...refusals, '500']));
    expect(operation.security.length > 0, path).toBe(!isOpen);
    const takesKeys = operation.security.some((one) => 'apiKey' in one);
    expect(takesKeys, path).toBe(!isOpen && !operation['x-fresh'] && operation['x-permission'] !== 'session');
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
