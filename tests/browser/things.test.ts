import { beforeAll, describe, expect, inject, test } from 'vitest';
import { query } from '../../deploy/local/postgres.ts';
import { cookieOf, headersOf } from '../support/park.ts';
import { receiveVisitors, soon } from './hall.ts';
import { languages, type Look, seriousFindings, sizes } from './visitor.ts';

const park = inject('demoPark');
const { run } = park;
const visitor = receiveVisitors(run);

/** A floor with a plan: one space drawn, one device placed. */
let floor: { id: string; space: string; device: string; deviceName: { en: string } };
beforeAll(async () => {
  const rows = await query<typeof floor>(
    run.database,
    `select f.id, s.id as space, e.id as device, e.name as "deviceName" from floor f
     join account a on a.id = f.account_id join space s on s.floor_id = f.id join equipment e on e.floor_id = f.id
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
    for (const [path, drawn] of [
      ['/admin/things', 'tbody td'],
      ['/admin/things?view=points&filter=zone+and+temp', 'tbody td'],
      ['/admin/things?view=files', 'input[type=file]'],
      [`/admin/things/plans?floor=${floor.id}`, '.plan-device'],
    ] as const) {
      await page.goto(path);
      await page.locator(drawn).first().waitFor(soon);
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
