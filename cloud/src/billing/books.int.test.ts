import type { BillingRun, BillingRunSummary, LineInterval, Statement } from '@parkline/contract';
import { beforeAll, describe, expect, test } from 'vitest';
import { createTestApp, givenAccount, loggedIn } from '../identity/testing.ts';
import { divideHalfUp, formatUnits, parseDecimal, pow10, toUnits } from '../metering/index.ts';
import { withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { clonedDatabase } from '../platform/testing.ts';
import { bookRun } from './book.ts';
import { billingRoutes } from './routes.ts';
import { golden, goldenRecord } from './testing-golden.ts';

const database = await clonedDatabase();
const at = new Date('2026-11-02T08:00:00Z');
const deps = { newId, now: () => at };
const app = await createTestApp(database.app);
await app.register(billingRoutes({ db: database.app }));
const ours = await givenAccount(database.owner);
const finance = await loggedIn(database.owner, ours, ['finance_officer']);
const inputsHash = 'a'.repeat(64);

const book = (accountId: string, hash = inputsHash) =>
  withAccount(database.owner, accountId, (trx) =>
    bookRun(trx, accountId, { run: goldenRecord, inputsHash: hash }, deps),
  );

const get = async <T>(url: string, headers = finance): Promise<{ status: number; body: T }> => {
  const reply = await app.inject({ url, headers });
  return { status: reply.statusCode, body: reply.json() };
};
async function pagesOf<T>(url: string, limit: number): Promise<T[]> {
  const items: T[] = [];
  let after: string | null = null;
  do {
    const { body }: { body: { items: T[]; next: string | null } } = await get(
      `${url}?limit=${limit}${after ? `&after=${after}` : ''}`,
    );
    items.push(...body.items);
    after = body.next;
  } while (after);
  return items;
}
const unitsOf = (text: string, scale: number) => toUnits(parseDecimal(text)!, scale)!;
const sumOf = (texts: readonly string[], scale: number) =>
  texts.reduce((sum, text) => sum + unitsOf(text, scale), 0n);

let runId = '';
let run: BillingRun;
const statements: Statement[] = [];
beforeAll(async () => {
  runId = (await book(ours)).id;
  run = (await get<BillingRun>(`/api/billing-runs/${runId}`)).body;
  for (const { id } of run.statements) statements.push((await get<Statement>(`/api/statements/${id}`)).body);
});

describe('the golden month, stored and read back', () => {
  test('is listed once, with its period and its total', async () => {
    const { body } = await get<{ items: BillingRunSummary[] }>('/api/billing-runs');
    expect(body).toEqual({
      items: [
        {
          ...{ id: runId, siteName: 'Golden Park', period: { from: '2026-10-01', to: '2026-11-01' } },
          ...{ state: 'draft', createdAt: at.toISOString(), lockedAt: null, currency: 'CNY' },
          ...{ total: '97034.43', supplyTotal: '97034.43', statementCount: 5, inputsHash },
        },
      ],
      next: null,
    });
  });

  test('has the supply bill and every statement to the cent', () => {
    const { energy, demand, power_factor: powerFactor, total } = golden.supply;
    expect(run.supply).toEqual({ kwh: '114452.00', energy, demand, powerFactor, total });
    const printed = statements.map(({ party, kwh, net, tax, total: sum, lines }) => [
      party,
      {
        direct_kwh: kwh,
        direct: formatUnits(
          sumOf(
            lines.filter(({ kind }) => kind === 'energy').map(({ amount }) => amount),
            2,
          ),
          2,
        ),
        ...Object.fromEntries(
          lines.filter(({ kind }) => kind !== 'energy').map((line) => [line.pool ?? 'rounding', line.amount]),
        ),
        ...{ total: sum, net, vat13: tax },
      },
    ]);
    const expected = Object.entries(golden.statements).map(([party, amounts]) => [
      party,
      Object.fromEntries(Object.entries(amounts).map(([key, amount]) => [key.replace(/_by_.*/, ''), amount])),
    ]);
    expect(Object.fromEntries(printed)).toEqual(Object.fromEntries(expected));
  });

  test('has every direct line to the cent', () => {
    const lines = statements.flatMap(({ party, lines }) =>
      lines
        .filter(({ kind }) => kind === 'energy')
        .map(({ tariffVersion, band, quantity, price, amount }) => [
          `${party}/${tariffVersion}/${band}`,
          [quantity, price, amount],
        ]),
    );
    expect(Object.fromEntries(lines)).toEqual(golden.direct_lines);
  });

  test('adds up: lines to statements, statements to the supply bill', () => {
    for (const { lines, total, net, tax } of statements) {
      expect(
        sumOf(
          lines.map(({ amount }) => amount),
          2,
        ),
      ).toBe(unitsOf(total, 2));
      expect(sumOf([net, tax], 2)).toBe(unitsOf(total, 2));
    }
    expect(
      sumOf(
        statements.map(({ total }) => total),
        2,
      ),
    ).toBe(unitsOf(run.supplyTotal, 2));
    expect(run.checks.map(({ key, ok }) => [key, ok])).toEqual([
      ['statements_equal_supply', true],
      ['rounding_within_law', true],
      ['all_energy_billed_once', true],
      ['completeness', true],
      ['estimates_within_limit', true],
      ['loss_within_limits', true],
    ]);
    expect(run.checks.at(-1)!.detail).toBe(
      '3332.70 kWh are lost, 2.91 % of the supply; -1 % to +6 % is usual.',
    );
  });
});

describe('drilling down', () => {
  test('the intervals of every energy line add up to its quantity, and times the price to its amount', async () => {
    for (const { party, lines } of statements)
      for (const line of lines.filter(({ kind }) => kind === 'energy')) {
        const found = await pagesOf<LineInterval>(`/api/statement-lines/${line.id}/intervals`, 500);
        expect(found).toHaveLength(line.intervals);
        const kwh = sumOf(
          found.map((one) => one.kwh),
          6,
        );
        expect([party, kwh]).toEqual([party, unitsOf(line.quantity!, 6)]);
        const price = parseDecimal(line.price!)!;
        const cents = divideHalfUp(kwh * price.units, pow10(6 + price.scale - 2));
        expect(formatUnits(cents, 2)).toBe(line.amount);
        expect(line.formula).toBe(`${line.quantity} kWh × ${line.price} = ${line.amount}`);
        expect(new Set(found.map(({ band, tariffVersion }) => `${band} ${tariffVersion}`))).toEqual(
          new Set([`${line.band} ${line.tariffVersion}`]),
        );
      }
  });

  test('the registers of an interval times the multiplier are its energy, also in an exchange', async () => {
    const d = statements.find(({ party }) => party === 'D')!;
    let compared = 0;
    let exchanged: LineInterval | undefined;
    for (const line of d.lines.filter(({ kind }) => kind === 'energy'))
      for (const one of await pagesOf<LineInterval>(`/api/statement-lines/${line.id}/intervals`, 500)) {
        const parts = one.registers.map(({ from, to, multiplier }) =>
          from === null || to === null
            ? undefined
            : (unitsOf(to, 2) - unitsOf(from, 2)) * unitsOf(multiplier, 0),
        );
        if (parts.includes(undefined)) continue;
        expect(parts.reduce<bigint>((sum, part) => sum + part!, 0n)).toBe(unitsOf(one.through, 2));
        compared += 1;
        if (one.rule === 'swap') exchanged = one;
      }
    expect(compared).toBe(2_976);
    expect(exchanged).toEqual({
      ...{ from: '2026-10-16T02:00:00.000Z', to: '2026-10-16T02:15:00.000Z', usagePoint: 'unit-302' },
      ...{
        kwh: '1.90',
        through: '1.90',
        quality: 'M',
        rule: 'swap',
        band: 'peak',
        tariffVersion: 'v2',
        share: null,
      },
      registers: [
        { meter: '4-old', multiplier: '10', from: expect.any(String), to: '4403.53' },
        { meter: '4-new', multiplier: '20', from: '12.30', to: expect.any(String) },
      ],
    });
  });

  test('an estimate says its rule and shows no register that was not read', async () => {
    const [line] = statements
      .find(({ party }) => party === 'A')!
      .lines.filter(({ band, tariffVersion }) => band === 'flat' && tariffVersion === 'v1');
    const found = await pagesOf<LineInterval>(`/api/statement-lines/${line!.id}/intervals`, 500);
    const estimated = found.filter(({ quality }) => quality === 'E');
    expect(estimated.map(({ kwh }) => kwh)).toEqual(['12.00', '12.80', '14.00', '12.40']);
    expect(estimated[1]).toMatchObject({
      rule: 'missing:like-day',
      registers: [{ meter: '1', from: null, to: null }],
    });
  });

  test('a share leads to the pool, its prices and its own intervals with the part of the party', async () => {
    const line = statements[0]!.lines.find(({ pool: name }) => name === 'common_lighting')!;
    expect(line).toMatchObject({
      ...{
        kind: 'share',
        amount: '5034.29',
        poolTotal: '15102.88',
        quantity: '18600',
        unit: null,
        intervals: 2_976,
      },
      ...{ formula: '15102.88 × 18600 / 55800 = 5034.29', usagePoints: ['common_lighting'], meters: ['6'] },
    });
    expect(
      sumOf(
        line.poolLines.map(({ amount }) => amount),
        2,
      ),
    ).toBe(1_510_288n);
    const found = await pagesOf<LineInterval>(`/api/statement-lines/${line.id}/intervals`, 500);
    expect(
      sumOf(
        found.map(({ kwh }) => kwh),
        2,
      ),
    ).toBe(
      sumOf(
        line.poolLines.map(({ quantity }) => quantity),
        2,
      ),
    );
    expect(found[0]!.share).toEqual({ weight: '18600', of: '55800' });
  });

  test('the demand leads to its one quarter hour, the loss to the supply, the power factor and the rounding to none', async () => {
    const linesOf = (party: string) => statements.find((one) => one.party === party)!.lines;
    const demand = linesOf('A').find(({ pool: name }) => name === 'demand')!;
    const [peak, ...more] = await pagesOf<LineInterval>(`/api/statement-lines/${demand.id}/intervals`, 10);
    expect([peak, more]).toMatchObject([
      { from: '2026-10-12T01:45:00.000Z', usagePoint: 'supply', through: '76.00' },
      [],
    ]);
    const loss = linesOf('A').find(({ pool: name }) => name === 'loss')!;
    const lost = await pagesOf<LineInterval>(`/api/statement-lines/${loss.id}/intervals`, 500);
    expect(
      sumOf(
        lost.map(({ kwh }) => kwh),
        2,
      ),
    ).toBe(333_270n);
    const none = linesOf('L').filter(
      ({ kind, pool: name }) => kind === 'rounding' || name === 'power_factor',
    );
    expect(none.map(({ intervals }) => intervals)).toEqual([0, 0]);
    for (const { id } of none) expect(await pagesOf(`/api/statement-lines/${id}/intervals`, 10)).toEqual([]);
  });

  test('pages meet without a gap or a repeat', async () => {
    const [line] = statements[4]!.lines; // The landlord's own use comes from two usage points.
    const whole = await pagesOf<LineInterval>(`/api/statement-lines/${line!.id}/intervals`, 500);
    const parts = await pagesOf<LineInterval>(`/api/statement-lines/${line!.id}/intervals`, 7);
    expect(new Set(whole.map(({ usagePoint }) => usagePoint)).size).toBe(2);
    expect(parts).toEqual(whole);
    expect((await get(`/api/statement-lines/${line!.id}/intervals?after=nonsense`)).status).toBe(400);
    expect((await get('/api/billing-runs?after=WyJhIiwiYiJd')).status).toBe(400);
    // Dates that look right and are none in the database.
    for (const date of ['0000-01-01', '2026-02-30']) {
      const cursor = (...place: string[]) => Buffer.from(JSON.stringify(place)).toString('base64url');
      expect((await get(`/api/billing-runs?after=${cursor(date, line!.id)}`)).status).toBe(400);
      const at = cursor('a', `${date}T00:00:00.000Z`);
      expect((await get(`/api/statement-lines/${line!.id}/intervals?after=${at}`)).status).toBe(400);
    }
  });

  test('speaks the language of the reader', async () => {
    const headers = { ...finance, 'accept-language': 'zh-CN' };
    const { body } = await get<Statement>(`/api/statements/${statements[4]!.id}`, headers);
    expect(body.lines.at(0)!.label).toBe('自用电量 低谷（v1）');
    expect(body.lines.at(-1)!.label).toBe('尾差');
    expect((await get<BillingRun>(`/api/billing-runs/${runId}`, headers)).body.checks[0]!.detail).toMatch(
      '总表账单 97034.43',
    );
  });
});
