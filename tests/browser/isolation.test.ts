import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { query } from '../../deploy/local/postgres.ts';
import { makeTrouble, play, type Trouble } from '../support/demo-park.ts';
import { cookieOf, headersOf } from '../support/park.ts';
import { english, englishPhone, receiveVisitors, soon } from './hall.ts';

const park = inject('demoPark');
const { run } = park;
const visitor = receiveVisitors(run);

/** Asks the API as the person with this login name. */
type Ask = (path: string, method?: 'GET' | 'POST' | 'PUT', body?: object) => Promise<number>;
async function askAs(name: string): Promise<Ask> {
  const cookie = await cookieOf(
    run,
    run.users.find(({ login }) => login === name)!,
  );
  return async (path, method = 'GET', body) => {
    const reply = await fetch(run.url + path, {
      method,
      headers: { ...headersOf(cookie), ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    await reply.body?.cancel();
    return reply.status;
  };
}

interface UsagePoint {
  readonly id: string;
  readonly name: { readonly en: string };
  readonly tenant: string;
  readonly tenantName: { readonly en: string };
}

let trouble: Trouble;
/** Every usage point that is let now, whoever holds it. */
let points: UsagePoint[];
beforeAll(async () => {
  trouble = await makeTrouble(park, 'leak', 'water-leak');
  points = await query<UsagePoint>(
    run.database,
    `select distinct u.id, u.name, t.key as tenant, t.name as "tenantName"
     from usage_point u join lease_space s on s.space_id = u.space_id
     join lease l on l.id = s.lease_id join tenant t on t.id = l.tenant_id`,
  );
});
afterAll(() => play(park, 'leak', false));

const own = (): UsagePoint[] => points.filter(({ tenant }) => tenant === 'aurora');
const foreign = (): UsagePoint[] => points.filter(({ tenant }) => tenant !== 'aurora');

describe('a tenant', () => {
  const span = (): string => {
    const to = Date.now();
    const at = (ms: number): string => encodeURIComponent(new Date(ms).toISOString());
    return `from=${at(to - 86_400_000)}&to=${at(to)}&by=hour`;
  };

  test('reads the use of its own meters; those of others do not exist for it', async () => {
    const ask = await askAs('tenant');
    expect(own().length).toBeGreaterThan(0);
    expect(new Set(foreign().map(({ tenant }) => tenant)).size).toBeGreaterThanOrEqual(6);
    for (const { id } of own()) expect(await ask(`/api/my/usage-points/${id}/usage?${span()}`)).toBe(200);
    for (const { id, tenant } of foreign())
      expect([tenant, await ask(`/api/my/usage-points/${id}/usage?${span()}`)]).toEqual([tenant, 404]);
  });

  test('is refused by the routes of the operator', async () => {
    const [ask, staff] = await Promise.all([askAs('tenant'), askAs('admin')]);
    const { equipmentId, faultId, orderId } = trouble;
    for (const path of [
      '/api/equipment',
      `/api/equipment/${equipmentId}`,
      `/api/points?equipment=${equipmentId}`,
      '/api/gateways',
      '/api/faults',
      `/api/faults/${faultId}`,
      '/api/fault-rules',
      '/api/work-orders',
      `/api/work-orders/${orderId}`,
      '/api/technicians',
      '/api/work-order-settings',
      '/api/tenants',
      '/api/leases',
      '/api/billing-runs',
    ]) {
      expect([path, await ask(path)]).toEqual([path, 403]);
      expect([path, await staff(path)]).toEqual([path, 200]);
    }
    expect(await ask(`/api/faults/${faultId}/acknowledge`, 'POST')).toBe(403);
    expect(await ask(`/api/work-orders/${orderId}/cancel`, 'POST', { version: 1, note: 'no' })).toBe(403);
    expect(await ask('/api/work-order-settings', 'PUT', { acceptWithinMin: 1 })).toBe(403);
  });

  test('finds nothing of others on its pages, nor in what the server sent for them', async () => {
    const { page, ...guest } = await visitor(englishPhone, 'tenant');
    guest.expectRefusal(404);
    let sent = '';
    page.on('response', async (reply) => {
      if (new URL(reply.url()).pathname.startsWith('/api/')) sent += await reply.text().catch(() => '');
    });
    let shown = '';
    for (const path of ['/tenant', '/tenant/usage', `/tenant/usage?point=${foreign()[0]!.id}`]) {
      await page.goto(path);
      await page.locator('svg rect.bar').first().waitFor(soon);
      shown += await page.locator('body').innerText();
      shown += (await page.locator('option').allTextContents()).join('\n');
    }
    for (const { name } of own()) expect(shown).toContain(name.en);
    for (const { id, name, tenantName } of foreign()) {
      expect(shown).not.toContain(name.en);
      expect(shown).not.toContain(tenantName.en);
      for (const secret of [id, name.en, tenantName.en]) expect(sent).not.toContain(secret);
    }
    for (const { id } of own()) expect(sent).toContain(id);
  });

  test.each(['/engineer', '/supervisor', '/technician', '/finance'])(
    'is told that %s is not open to it',
    async (path) => {
      const { page } = await visitor(english, 'tenant');
      await page.goto(path);
      await page.getByText('You have no access to this').waitFor(soon);
      await page.getByRole('link', { name: 'Back to my start page' }).click();
      await page.waitForURL('**/tenant');
    },
  );
});

describe('the people of another operator', () => {
  test.each(['river-engineer', 'river-admin'])('do not find what is not theirs: %s', async (login) => {
    const [stranger, host] = await Promise.all([askAs(login), askAs('admin')]);
    const { equipmentId, faultId, orderId } = trouble;
    const [run1] = await query<{ id: string }>(run.database, 'select id from billing_run limit 1');
    const paths = [`/api/equipment/${equipmentId}`, `/api/faults/${faultId}`, `/api/work-orders/${orderId}`];
    if (login === 'river-admin') paths.push(`/api/billing-runs/${run1!.id}`);
    for (const path of paths) {
      expect([path, await host(path)]).toEqual([path, 200]);
      expect([path, await stranger(path)]).toEqual([path, 404]);
    }
    expect(await stranger(`/api/faults/${faultId}/acknowledge`, 'POST')).toBe(404);
  });

  test('meet an unknown device where they follow a link to a foreign one', async () => {
    const { page, ...guest } = await visitor(english, 'river-engineer');
    guest.expectRefusal(404);
    await page.goto(`/engineer/devices/${trouble.equipmentId}`);
    await page.getByText('This does not exist').first().waitFor(soon);
  });
});
