import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { query } from '../../deploy/local/postgres.ts';
import { cookieOf, headersOf } from '../support/park.ts';
import { englishPhone, receiveVisitors, soon } from './hall.ts';
import { languages, type Look, seriousFindings, sizes } from './visitor.ts';

const park = inject('demoPark');
const { run } = park;
const visitor = receiveVisitors(run);
const sql = <T extends object>(text: string, ...values: unknown[]) => query<T>(run.database, text, values);

/** A floor with a plan: one space drawn, one device placed. */
let floor: {
  id: string;
  building: string;
  /** Key of the building's gateway. */
  gateway: string;
  space: string;
  device: string;
  deviceName: { en: string };
};
beforeAll(async () => {
  const rows = await query<typeof floor>(
    run.database,
    `select f.id, b.key as building, g.key as gateway, s.id as space, e.id as device, e.name as "deviceName" from floor f
     join account a on a.id = f.account_id join building b on b.id = f.building_id
     join gateway g on g.building_id = b.id join space s on s.floor_id = f.id join equipment e on e.floor_id = f.id
     where a.key = $1 order by f.key, s.key, e.key limit 1`,
    [run.account],
  );
  floor = rows[0]!;
  const headers = headersOf(
    await cookieOf(
      run,
      run.users.find(({ login }) => login === 'engineer')!,
    ),
  );
  const put = async (path: string, type: string, body: string, version?: string) => {
    const match = version ? { 'if-match': version } : {};
    const init = { method: 'PUT', body, headers: { ...headers, 'content-type': type, ...match } };
    const reply = await fetch(`${run.url}/api/floors/${floor.id}/plan${path}`, init);
    if (!reply.ok) throw new Error(`${path} answered ${reply.status}: ${await reply.text()}`);
    return reply.headers.get('etag')!;
  };
  const lines = Array.from({ length: 8 }, (_, i) => `<path d="M${i * 60} 0V300" stroke="#999"/>`).join('');
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 300"><rect width="480" height="300" fill="#fff" stroke="#333"/>${lines}</svg>`;
  const version = await put('/image', 'image/svg+xml', drawing);
  const ring = [
    [0.1, 0.1],
    [0.4, 0.1],
    [0.4, 0.6],
    [0.1, 0.6],
  ];
  const marks = {
    spaces: [{ spaceId: floor.space, ring }],
    devices: [{ equipmentId: floor.device, at: [0.7, 0.5] }],
  };
  await put('', 'application/json', JSON.stringify(marks), version);
}, 60_000);

/** Where pictures of the pages go, when somebody wants to look at them. */
const shots = process.env['PARKLINE_SHOTS'];
const looks = languages.flatMap((language) =>
  (Object.keys(sizes) as (keyof typeof sizes)[]).map((size): Look => ({ language, size, theme: 'light' })),
);

describe.each(looks)('$language $size', (look) => {
  test('equipment, points, tables and the plan are drawn, accessible and within the security policy', async () => {
    const { page } = await visitor(look);
    await page.addInitScript(`
      globalThis.violations = [];
      document.addEventListener('securitypolicyviolation', (event) =>
        globalThis.violations.push(event.violatedDirective + ' ' + event.blockedURI));`);
    const findings: string[] = [];
    const pages: readonly [path: string, drawn: string, opener?: string][] = [
      ['/admin/things', 'tbody td', 'tbody .link'],
      ['/admin/things?view=points&filter=zone+and+temp', 'tbody td'],
      ['/admin/things?view=files', 'input[type=file]'],
      [`/admin/things/plans?floor=${floor.id}`, '.plan-device'],
    ];
    for (const [path, drawn, opener] of pages) {
      await page.goto(path);
      await page.locator(drawn).first().waitFor(soon);
      if (opener) {
        await page.locator(opener).first().click();
        await page.locator('aside select[required]').last().waitFor(soon);
      }
      if (shots) {
        const name = path.replaceAll(/[^a-z]+/g, '-');
        await page.screenshot({ path: `${shots}/${look.language}-${look.size}${name}.png`, fullPage: true });
      }
      const wide = await page.evaluate<boolean>('document.documentElement.scrollWidth > innerWidth + 1');
      if (wide) findings.push(`${path} is wider than the screen`);
      findings.push(...(await seriousFindings(page)));
      findings.push(...(await page.evaluate<string[]>('globalThis.violations')));
    }
    expect(findings).toEqual([]);
  });
});

describe('the bus of a device', () => {
  /** A bus of the park on which an elevator hangs, and its gateway. */
  let open: { id: string; key: string; gateway: string; device: string; params: object };
  beforeAll(async () => {
    const rows = await sql<typeof open>(
      `select b.id, b.key, b.gateway_id as gateway, e.id as device, b.params from bus b
       join account a on a.id = b.account_id
       join equipment e on e.gateway_id = b.gateway_id and e.bus = b.key and e.retired_at is null
       where a.key = $1 and b.protocol = 'opcua' order by b.key, e.key limit 1`,
      run.account,
    );
    open = rows[0]!;
    const waiver = { securityPolicy: 'None', securityMode: 'None', waiveSecurity: true };
    await sql(`update bus set params = params || $2 where id = $1`, open.id, JSON.stringify(waiver));
  });
  // The park is left as it was found.
  afterAll(async () => {
    await sql(`update bus set params = $2 where id = $1`, open.id, JSON.stringify(open.params));
    await sql(`delete from bus where key = 'browser-bus'`);
  });

  test('is chosen by keyboard or described on the way, and is red everywhere while security is waived', async () => {
    const { page } = await visitor(englishPhone);
    const findings: string[] = [];
    await page.goto('/admin/things');
    await page.getByRole('button', { name: 'Add equipment' }).click(soon);
    const panel = page.locator('aside');
    await panel.getByLabel('Template').selectOption('elevator/generic-opcua');
    await panel.getByLabel('Gateway').selectOption(open.gateway);
    const bus = panel.getByLabel('Bus', { exact: true });
    expect(await bus.locator('option:enabled').allTextContents()).toEqual([
      'Choose a bus',
      expect.stringMatching(new RegExp(`^${open.key} · OPC UA · opc.tcp://`)),
    ]);
    await bus.focus();
    await page.keyboard.type(open.key);
    expect(await bus.inputValue()).toBe(open.key);
    await panel.getByRole('note').getByText('Without security').waitFor(soon);

    await panel.getByRole('button', { name: 'Describe another bus' }).press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Add a bus' });
    await dialog.getByLabel('Key').fill('browser-bus');
    await dialog.getByLabel('Address of the server').fill('opc.tcp://10.9.9.9:4840');
    findings.push(...(await seriousFindings(page)));
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Bus browser-bus' }).getByLabel('New password').waitFor(soon);
    await page.keyboard.press('Escape');
    expect(await bus.inputValue()).toBe('browser-bus');
    expect(await panel.getByRole('note').count()).toBe(0);

    for (const [path, red] of [
      [`/admin/things/buses?gateway=${open.gateway}`, page.locator('td .critical')],
      [`/engineer/devices/${open.device}`, page.getByRole('note')],
    ] as const) {
      await page.goto(path);
      await red.getByText('Without security').waitFor(soon);
      findings.push(...(await seriousFindings(page)));
    }
    expect(await page.getByRole('note').textContent()).toContain('Choose Basic256Sha256');
    expect(findings).toEqual([]);
  });

  test('says that it was saved, and that somebody else saved first', async () => {
    const { page, expectRefusal } = await visitor(undefined, 'admin');
    expectRefusal(409);
    await page.goto(`/admin/things/buses?gateway=${open.gateway}`);
    await page.locator('tbody').getByRole('button', { name: open.key, exact: true }).click(soon);
    const panel = page.locator('aside');
    await panel.getByRole('button', { name: 'Save', exact: true }).click(soon);
    await panel.getByText('once somebody chooses “Send to gateway”').waitFor(soon);
    await sql('update bus set version = version + 1 where id = $1', open.id);
    await panel.getByRole('button', { name: 'Save', exact: true }).click();
    await panel.getByText('Somebody else changed this meanwhile.').waitFor(soon);
  });

  test('that nobody described is named by its row before a table is imported', async () => {
    const { page } = await visitor();
    await page.goto('/admin/things?view=files');
    const rows = [
      'key,name_en,template,gateway,building,bus,address',
      `browser-meter,Meter,three-phase-meter/carlo-em24,${floor.gateway},${floor.building},browser-nowhere,200`,
    ];
    const file = { name: 'meters.csv', mimeType: 'text/csv', buffer: Buffer.from(rows.join('\n')) };
    await page.getByLabel('What', { exact: true }).selectOption('equipment', soon);
    await page.locator('input[type=file]').setInputFiles(file);
    await page.getByRole('button', { name: 'Dry run' }).click();
    const warned = page.getByRole('region', { name: 'What is still missing' });
    await warned.getByText('1 row still needs something').waitFor(soon);
    const cells = await warned.locator('tbody th, tbody td').allTextContents();
    expect(cells).toEqual(['2', 'bus', expect.stringContaining('"browser-nowhere"')]);
    expect(await page.getByRole('button', { name: 'Store' }).isEnabled()).toBe(true);
  });
});

test('a device is moved on the plan by numbers, and an edit on an older version shows the other’s', async () => {
  const { page, expectRefusal } = await visitor();
  expectRefusal(409);
  await page.goto(`/admin/things/plans?floor=${floor.id}`);
  await page.locator('.plan-device').first().waitFor(soon);
  await page.getByRole('button', { name: 'Edit' }).click();
  const across = page.getByLabel(`${floor.deviceName.en}: Across, %`);
  await across.fill('30');
  await across.press('Tab');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Saved.').waitFor(soon);
  const at = async () => {
    const [row] = await query<{ at: number[] }>(
      run.database,
      `select marks->'devices'->0->'at' as at from floor_plan where floor_id = $1`,
      [floor.id],
    );
    return row!.at;
  };
  expect(await at()).toEqual([0.3, 0.5]);
  await query(run.database, `update floor_plan set changed_at = now() where floor_id = $1`, [floor.id]);
  await across.fill('55');
  await across.press('Tab');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.getByText('Somebody else changed this meanwhile').waitFor(soon);
  expect(await at()).toEqual([0.3, 0.5]);
});
