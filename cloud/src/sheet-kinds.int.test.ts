import type { ImportResult } from '@parkline/contract';
import fc from 'fast-check';
import { sql } from 'kysely';
import Papa from 'papaparse';
import { expect, test } from 'vitest';
import { apiKeyRoutes } from './identity/index.ts';
import { createTestApp, givenAccount, loggedIn } from './identity/testing.ts';
import { importRoutes } from './imports/index.ts';
import { newId } from './platform/ids.ts';
import { sheetFormats, writeSheet } from './platform/sheets.ts';
import { clonedDatabase } from './platform/testing.ts';
import { sheetKinds } from './sheet-kinds.ts';
import { givenTenancy } from './tenancy/testing.ts';

const { app: db, owner } = await clonedDatabase();
const account = await givenAccount(owner);
const { buildings } = await givenTenancy(owner, account);
const now = () => new Date('2026-09-01T00:00:00Z');
const app = await createTestApp(db);
let statements = 0;
const counted = db.withPlugin({
  transformQuery: ({ node }) => {
    statements += 1;
    return node;
  },
  transformResult: ({ result }) => Promise.resolve(result),
});
await app.register(importRoutes({ db: counted, now, newId, kinds: sheetKinds }));
await app.register(apiKeyRoutes({ db, now: () => new Date(), newId }));
const officer = await loggedIn(owner, account, ['account_admin']);

const send = async (kind: string, body: Buffer | string, { dryRun = false, headers = {} } = {}) => {
  const reply = await app.inject({
    ...{ method: 'POST', url: `/api/imports?kind=${kind}&dryRun=${dryRun}&file=${kind}.csv`, payload: body },
    headers: { ...officer, 'content-type': 'text/csv', ...headers },
  });
  return { status: reply.statusCode, body: reply.json() };
};
const csv = (...rows: string[][]) => Papa.unparse(rows);
const load = async (name: string, headers = {}) =>
  app.inject({ url: `/api/exports/${name}`, headers: { ...officer, ...headers } });
const counts = ({ add, change, unchanged, errorCount }: ImportResult) => ({
  add,
  change,
  unchanged,
  errorCount,
});
const undo = async (id: string) => {
  const reply = await app.inject({ method: 'POST', url: `/api/imports/${id}/undo`, headers: officer });
  return { status: reply.statusCode, body: reply.json() };
};
const rowsOf = async (kind: string) =>
  Papa.parse<Record<string, string>>((await load(`${kind}.csv`)).body.slice(1), {
    header: true,
    skipEmptyLines: true,
  }).data;

test.each(sheetKinds.map(({ name }) => name))(
  'what is exported of %s and imported again changes nothing',
  async (kind) => {
    for (const format of sheetFormats)
      for (const language of ['en', 'zh-CN']) {
        const { rawPayload, statusCode } = await load(`${kind}.${format}`, { 'accept-language': language });
        expect(statusCode).toBe(200);
        const { status, body } = await send(kind, rawPayload);
        expect([status, counts(body)]).toEqual([
          200,
          { add: 0, change: 0, unchanged: expect.any(Number), errorCount: 0 },
        ]);
        expect(body.unchanged).toBe((await rowsOf(kind)).length);
      }
  },
);

test('a file is tried, stored, the same again, and taken back', async () => {
  const file = csv(
    ['编号', '楼层编号', '中文名称', '类型', '面积(m2)'],
    ['n-201', 'north-1', '二〇一', '单元', '88.5'],
    ['north-hall', 'north-1', '大堂', '公共区域', '20'],
  );
  const tried = await send('spaces', file, { dryRun: true });
  expect([tried.status, counts(tried.body), tried.body.batchId]).toEqual([
    200,
    { add: 1, change: 1, unchanged: 0, errorCount: 0 },
    null,
  ]);
  expect((await rowsOf('spaces')).find(({ key }) => key === 'n-201')).toBeUndefined();
  const stored = await send('spaces', file);
  expect([stored.status, counts(stored.body)]).toEqual([201, counts(tried.body)]);
  expect(counts((await send('spaces', file)).body)).toEqual({
    add: 0,
    change: 0,
    unchanged: 2,
    errorCount: 0,
  });
  expect(await rowsOf('spaces')).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        key: 'n-201',
        name_en: '二〇一',
        area_m2: '88.5',
        area_from: '',
        state: 'vacant',
      }),
      expect.objectContaining({ key: 'north-hall', name_en: 'north-hall', name_zh: '大堂' }),
    ]),
  );
  const { rows } = await sql<{ action: string; content: object }>`
    select action, content from audit_event where account_id = ${account} and content -> 'details' ->> 'import' = ${stored.body.batchId}
    order by action`.execute(owner);
  expect(rows).toMatchObject([
    { action: 'space.added', content: { after: { key: 'n-201' } } },
    { action: 'space.changed', content: { before: { name_zh: 'north-hall' }, after: { name_zh: '大堂' } } },
  ]);
  expect(await undo(stored.body.batchId)).toEqual({ status: 200, body: { rows: 2 } });
  expect((await undo(stored.body.batchId)).body.details.why).toBe('undone');
  const after = await rowsOf('spaces');
  expect(after.find(({ key }) => key === 'n-201')).toBeUndefined();
  expect(after.find(({ key }) => key === 'north-hall')).toMatchObject({ name_zh: 'north-hall' });
});

test('an area from a day on comes and goes with its import', async () => {
  const head = ['key', 'floor', 'kind', 'area_m2', 'area_from'];
  const file = csv(
    head,
    ['north-101', 'north-1', 'unit', '120', '2027-01-01'],
    ['north-102', 'north-1', 'unit', '55', ''],
  );
  const { body } = await send('spaces', file);
  expect(counts(body)).toMatchObject({ change: 2 });
  expect(counts((await send('spaces', file)).body)).toMatchObject({ change: 0, unchanged: 2 });
  const areas = async () => {
    const { rows } = await sql<{ text: string }>`
      select string_agg(s.key || ' ' || a.from_date || ' ' || a.area_m2, ', ' order by s.key, a.from_date) as text
      from space_area a join space s on s.id = a.space_id where s.account_id = ${account} and s.key like 'north-10_'`.execute(
      owner,
    );
    return rows[0]?.text;
  };
  expect(await areas()).toBe(
    'north-101 -infinity 100.50, north-101 2027-01-01 120.00, north-102 -infinity 50.00, north-102 2026-09-01 55.00',
  );
  expect((await undo(body.batchId)).status).toBe(200);
  expect(await areas()).toBe('north-101 -infinity 100.50, north-102 -infinity 50.00');
});

test('a faulty file stores nothing and says every fault in the language of its reader', async () => {
  const file = csv(
    ['key', 'tenant', 'spaces', 'from', 'to'],
    ['l-1', 'nobody', 'north-101', '2030-01-01', ''],
    ['l-2', 'birch', 'north-101; attic', '2030-01-01', '2029-01-01'],
    ['l-3', 'birch', 'south-hall', '2030-13-01', ''],
    ['l-4', 'birch', 'south-hall', '2030-01-01', ''],
  );
  for (const dryRun of [true, false]) {
    const { status, body } = await send('leases', file, { dryRun });
    expect(status).toBe(dryRun ? 200 : 400);
    const result = (dryRun ? body : body.details) as ImportResult;
    expect(result.errors.map(({ row, field }) => `${row} ${field}`)).toEqual([
      '2 tenant',
      '3 spaces',
      '3 to',
      '4 from',
    ]);
  }
  const zh = await send('leases', file, { dryRun: true, headers: { 'accept-language': 'zh-CN' } });
  expect(zh.body.errors[0].message).toBe('没有编号为“nobody”的租户。');
  expect((await rowsOf('leases')).map(({ key }) => key)).not.toContain('l-4');
});

test('a space let twice on one day is told by the row that would do so, also within the file', async () => {
  const head = ['key', 'tenant', 'spaces', 'from', 'to'];
  const file = csv(
    head,
    ['l-a', 'aurora', 'south-hall', '2031-01-01', '2032-01-01'],
    ['l-b', 'birch', 'south-hall', '2031-06-01', ''],
    ['l-c', 'birch', 'south-101', '2026-01-01', ''],
  );
  const { body } = await send('leases', file, { dryRun: true });
  expect(
    body.errors.map(({ row, message }: { row: number; message: string }) => `${row} ${message}`),
  ).toEqual([
    '2 Space "south-hall" is leased by "l-b" on some of the same days.',
    '3 Space "south-hall" is leased by "l-a" on some of the same days.',
    '4 Space "south-101" is leased by "birch-2" on some of the same days.',
  ]);
  // The end of one may move together with the beginning of the next.
  const moved = csv(
    head,
    ['aurora-1', 'aurora', 'north-101;north-102', '2025-01-01', '2026-08-01'],
    ['aurora-2', 'aurora', 'north-102', '2026-08-01', ''],
    ['birch-1', 'birch', 'north-101', '2026-08-01', ''],
  );
  const stored = await send('leases', moved);
  expect([stored.status, counts(stored.body)]).toEqual([
    201,
    { add: 0, change: 3, unchanged: 0, errorCount: 0 },
  ]);
  expect((await undo(stored.body.batchId)).status).toBe(200);
});

test('spaces that change hands within one file stay leased: nothing happened to them', async () => {
  const history = async () => {
    const { rows } = await sql<{ state: string; version: number; changes: number }>`
      select s.state, s.version, (select count(*)::int from space_state_change c where c.space_id = s.id) as changes
      from space s where s.account_id = ${account} and s.key = 'north-102'`.execute(owner);
    return rows[0];
  };
  const leases = (own: string, other: string, headcount: string) =>
    csv(
      ['key', 'tenant', 'spaces', 'from', 'to', 'headcount'],
      ['aurora-2', 'aurora', own, '2026-07-01', '', headcount],
      ['birch-1', 'birch', other, '2026-07-01', '', headcount],
    );
  await send('leases', leases('north-102', 'north-101', '7'));
  const before = await history();
  const { status, body } = await send('leases', leases('north-101', 'north-102', '8'));
  expect([status, before?.state, await history()]).toEqual([201, 'leased', before]);
  expect((await undo(body.batchId)).status).toBe(200);
});

test('many rows take no more statements than few', async () => {
  const head = {
    tenants: ['key', 'name_en', 'name_zh'],
    contacts: ['key', 'tenant', 'name', 'phone'],
    leases: ['key', 'tenant', 'spaces', 'from', 'to', 'headcount'],
  };
  const rowOf = (kind: keyof typeof head, i: number, turn: string): string[] => {
    if (kind === 'tenants') return [`many-${i}`, `Many ${turn}`, '多'];
    if (kind === 'contacts') return [`many-${i}`, 'aurora', 'Li', `021 ${turn}`];
    return [`many-${i}`, 'birch', 'south-hall', `20${40 + i}-01-01`, `20${41 + i}-01-01`, turn];
  };
  for (const kind of ['tenants', 'contacts', 'leases'] as const) {
    const took = async (rows: number, turn: string): Promise<number> => {
      statements = 0;
      const all = Array.from({ length: rows }, (_, i) => rowOf(kind, i, turn));
      const { body } = await send(kind, csv(head[kind], ...all));
      expect(body, kind).toMatchObject({ errorCount: 0 });
      return statements;
    };
    const few = await took(2, '100');
    expect(await took(20, '200'), `${kind}: eighteen more, and two changed`).toBe(few);
    expect(await took(20, '300'), `${kind}: twenty changed`).toBeLessThanOrEqual(few);
  }
});

test('what was changed since an import is not taken back', async () => {
  const { body } = await send('tenants', csv(['key', 'name_en'], ['dogwood', 'Dogwood'], ['elm', 'Elm']));
  await sql`update tenant set name = '{"en": "Elms", "zh": "榆"}', version = version + 1 where key = 'elm' and account_id = ${account}`.execute(
    owner,
  );
  const refused = await undo(body.batchId);
  expect([refused.status, refused.body.details]).toMatchObject([
    409,
    { why: 'held', errors: [{ field: 'elm' }] },
  ]);
  expect((await rowsOf('tenants')).map(({ key }) => key)).toContain('dogwood');
});

test('contacts keep every text, whatever a spreadsheet would make of it', async () => {
  const name = fc
    .string({ unit: fc.constantFrom(...`'"=+-@,;\n李雷Ab1 `), minLength: 1, maxLength: 30 })
    .map((text) => text.trim())
    .filter(Boolean);
  await fc.assert(
    fc.asyncProperty(
      fc.array(name, { minLength: 1, maxLength: 5 }),
      fc.constantFrom(...sheetFormats),
      async (names, format) => {
        const rows = names.map((text, i) => [`p-${i}`, 'aurora', text]);
        const sent = await send('contacts', await writeSheet(format, ['key', 'tenant', 'name'], rows));
        expect(sent.body.errorCount).toBe(0);
        const back = await send('contacts', (await load(`contacts.${format}`)).rawPayload);
        expect(counts(back.body)).toMatchObject({ add: 0, change: 0, errorCount: 0 });
        const { rows: found } = await sql<{ name: string }>`
        select name from tenant_contact where account_id = ${account} and key like 'p-%' order by key limit ${names.length}`.execute(
          owner,
        );
        expect(found.map((row) => row.name)).toEqual(names);
      },
    ),
    { numRuns: 8 },
  );
});

test('who may work in one building neither gets nor changes anything of another', async () => {
  const bound = await loggedIn(owner, account, ['leasing_officer'], null, {
    buildingId: buildings.get('south')!,
  });
  for (const kind of ['buildings', 'floors', 'spaces', 'leases']) {
    const { body } = await load(`${kind}.csv`, bound);
    expect(body).toContain(kind === 'leases' ? 'birch-2' : 'south');
    expect(body).not.toContain('north');
  }
  const head = ['key', 'floor', 'name_en', 'kind', 'area_m2'];
  const tell = async (kind: string, ...rows: string[][]) =>
    (await send(kind, csv(...rows), { dryRun: true, headers: bound })).body.errors.map(
      ({ row, field }: { row: number; field: string }) => `${row} ${field}`,
    );
  // One that is there, out of sight; one to be added there; one whose key is taken out of sight.
  expect(
    await tell(
      'spaces',
      head,
      ['north-101', 'north-1', 'x', 'unit', '1'],
      ['n-9', 'north-1', 'x', 'unit', '1'],
    ),
  ).toEqual(['2 floor', '3 floor']);
  expect(await tell('spaces', head, ['north-101', 'south-1', 'x', 'unit', '1'])).toEqual(['0 ']);
  expect(
    await tell('sites', ['key', 'name_en', 'timezone', 'currency'], ['quay', 'Mine', 'UTC', 'EUR']),
  ).toEqual(['2 key']);
  expect(await tell('spaces', head, ['s-9', 'south-1', 'x', 'unit', '1'])).toEqual([]);
});

test.each([
  ['an unknown kind', 'people', {}, 400],
  ['somebody without the permission', 'spaces', await loggedIn(owner, account, ['technician']), 403],
  ['a stranger', 'spaces', { cookie: 'parkline_session=x' }, 401],
])('%s is refused', async (_who, kind, headers, status) => {
  expect((await send(kind, 'key\n', { headers })).status).toBe(status);
});

test('a template holds one row that fits its columns', async () => {
  for (const { name, columns } of sheetKinds) {
    const reply = await app.inject({ url: `/api/import-templates/${name}.csv`, headers: officer });
    const [head, row] = Papa.parse<string[]>(reply.body.slice(1)).data;
    expect(head).toEqual(columns.map((column) => column.name));
    expect(row).toHaveLength(columns.length);
  }
});

test('what a row names and is not there is told together with everything else that is wrong', async () => {
  const faultsOf = async (kind: string, ...rows: string[][]) =>
    (await send(kind, csv(...rows), { dryRun: true })).body.errors.map(
      ({ row, field }: { row: number; field: string }) => `${row} ${field}`,
    );
  expect(
    await faultsOf(
      'points',
      ['point', 'name_en', 'unit', 'poll_s', 'heartbeat_s', 'space'],
      ['nowhere.temp', 'A', '°C', 'often', '60', 'attic'],
      ['elsewhere.temp', 'B', 'yards', '60', '30', ''],
    ),
  ).toEqual(['2 poll_s', '2 point', '2 space', '3 unit', '3 point']);
  expect(
    await faultsOf(
      'equipment',
      ['key', 'name_en', 'template', 'gateway', 'building', 'floor', 'bus', 'address', 'submeter_of'],
      ['x-1', '', 'no/such', 'gw-x', 'north', 'north-1', 'x bus', '1', ''],
      ['x-2', 'B', 'three-phase-meter/carlo-em24', 'gw-x', 'attic', '', 'x', '1', 'x-1'],
    ),
  ).toEqual(['2 bus', '2 name_en', '2 template', '2 gateway', '3 gateway', '3 building']);
  expect(
    await faultsOf(
      'spaces',
      ['key', 'floor', 'name_en', 'kind', 'area_m2'],
      ['north-101', 'attic', '', 'unit', 'large'],
      ['n-9', 'attic', '', 'house', '1'],
    ),
  ).toEqual(['2 area_m2', '2 name_en', '2 floor', '3 kind', '3 name_en', '3 floor']);
  expect(
    await faultsOf(
      'buildings',
      ['key', 'site', 'name_en', 'ord'],
      ['b', 'nowhere', '', 'x'],
      ['wrong key', 'nowhere', 'B', ''],
    ),
  ).toEqual(['2 ord', '2 name_en', '2 site', '3 key', '3 site']);
});

test('the templates fit together: filled in one after the other they make a park out of nothing', async () => {
  const empty = await givenAccount(owner);
  const admin = await loggedIn(owner, empty, ['account_admin']);
  for (const { name } of sheetKinds) {
    const template = await app.inject({ url: `/api/import-templates/${name}.csv`, headers: admin });
    const { status, body } = await send(name, template.rawPayload, { headers: admin });
    expect([name, status, body.errors ?? body.details]).toEqual([name, 201, []]);
    expect(body).toMatchObject({ add: 1, change: 0 });
  }
});

test('a program takes tables out and brings them in by its key, as far as its scopes go', async () => {
  const made = await app.inject({
    ...{ method: 'POST', url: '/api/api-keys', headers: officer },
    payload: {
      name: 'Books',
      scopes: ['place.read'],
      expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
    },
  });
  const headers = { authorization: `Bearer ${made.json().key}` };
  const exported = await app.inject({ url: '/api/exports/spaces.csv', headers });
  expect([exported.statusCode, exported.body]).toEqual([200, (await load('spaces.csv')).body]);
  expect((await app.inject({ url: '/api/exports/leases.csv', headers })).statusCode).toBe(403);
  const brought = {
    method: 'POST',
    url: '/api/imports?kind=spaces&dryRun=true',
    payload: exported.body,
  } as const;
  const type = { 'content-type': 'text/csv' };
  expect((await app.inject({ ...brought, headers: { ...headers, ...type } })).json()).toMatchObject({
    code: 'forbidden',
    details: { permission: 'place.write' },
  });
});
