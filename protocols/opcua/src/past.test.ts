import { expect, test } from 'vitest';
import type { HistoryAsk, HistoryPage } from './link.ts';
import { pastOf } from './past.ts';
import { allOf, gauge } from './testing.ts';

const good = { name: 'Good', code: 0 };
const from = Date.UTC(2026, 10, 22);

/** A server that answers each page as it is told to. */
function past(history: (ask: HistoryAsk) => HistoryPage) {
  let forgotten = 0;
  const link = {
    history: (ask: HistoryAsk) => Promise.resolve(history(ask)),
    forgetHistory: () => Promise.resolve(void (forgotten += 1)),
  };
  const deps = { link, ref: gauge('Power'), nodeId: 'ns=1;s=Power', where: 'plc' };
  const pages = allOf(pastOf({ ...deps, answer: (work) => work }, from, from + 60_000));
  return { pages, forgotten: () => forgotten };
}

test.each([
  ['GoodNoData', 0x00a5_0000],
  ['BadNoData', 0x809b_0000],
])('a server that says %s kept nothing of that time, which is no failure', async (name, code) => {
  const { pages } = past(() => ({ status: { name, code }, readings: [], after: undefined }));
  expect(await pages).toEqual([]);
});

test('empty pages without end are not followed for ever, and the server is told so', async () => {
  const { pages, forgotten } = past(() => ({ status: good, readings: [], after: Buffer.from('more') }));
  await expect(pages).rejects.toMatchObject({ code: 'garbage' });
  expect(forgotten()).toBe(1);
});
