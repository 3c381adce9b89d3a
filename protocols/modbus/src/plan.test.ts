import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Address, parseAddress } from './address.ts';
import { type Block, planBlocks, type PlanLimits, splitBlock } from './plan.ts';

const limits: PlanLimits = { gapRegisters: 10, maxRegisters: 125, refused: [] };
const plan = (texts: readonly string[], more: Partial<PlanLimits> = {}): string[] =>
  planBlocks(
    texts.map((text) => parseAddress(text)),
    { ...limits, ...more },
  ).map(show);
const show = ({ fc: code, start, count, points }: Block): string =>
  `${code}:${start}+${count} [${points.join(' ')}]`;

test.each([
  ['nothing for no point', [], {}, []],
  ['one block for neighbours', ['hr:0:u16', 'hr:1:u16'], {}, ['3:0+2 [0 1]']],
  ['a gap within the limit is read along', ['hr:0:u16', 'hr:11:u16'], {}, ['3:0+12 [0 1]']],
  ['a gap past the limit begins a block', ['hr:0:u16', 'hr:12:u16'], {}, ['3:0+1 [0]', '3:12+1 [1]']],
  [
    'no gap at all when none is allowed',
    ['hr:0:u16', 'hr:2:u16'],
    { gapRegisters: 0 },
    ['3:0+1 [0]', '3:2+1 [1]'],
  ],
  ['order of address, not of asking', ['hr:5:u16', 'hr:0:u32'], {}, ['3:0+6 [1 0]']],
  [
    'functions do not mix',
    ['hr:0:u16', 'ir:0:u16', 'di:0', 'co:0'],
    {},
    ['1:0+1 [3]', '2:0+1 [2]', '3:0+1 [0]', '4:0+1 [1]'],
  ],
  ['a number is never cut', ['hr:0:u16', 'hr:1:f64'], { maxRegisters: 4 }, ['3:0+1 [0]', '3:1+4 [1]']],
  ['points may overlap', ['hr:0:f64', 'hr:1:u16', 'hr:0:bit:3'], {}, ['3:0+4 [2 0 1]']],
  [
    'the device limit',
    ['hr:0:u16', 'hr:9:u16', 'hr:10:u16'],
    { maxRegisters: 10 },
    ['3:0+10 [0 1]', '3:10+1 [2]'],
  ],
  [
    '125 at most, whatever is allowed',
    ['hr:0:u16', 'hr:124:u16', 'hr:125:u16'],
    { gapRegisters: 200, maxRegisters: 999 },
    ['3:0+125 [0 1]', '3:125+1 [2]'],
  ],
  [
    'coils count sixteen to a register',
    ['co:0', 'co:160', 'co:2000'],
    { gapRegisters: 10 },
    ['1:0+161 [0 1]', '1:2000+1 [2]'],
  ],
  [
    '2000 coils at most',
    ['co:0', 'co:1999', 'co:2000'],
    { gapRegisters: 124 },
    ['1:0+1 [0]', '1:1999+2 [1 2]'],
  ],
  [
    'a refused range is not covered again',
    ['hr:0:u16', 'hr:1:u16', 'hr:2:u16'],
    { refused: [{ fc: 3, start: 0, count: 2 }] },
    ['3:0+1 [0]', '3:1+2 [1 2]'],
  ],
  [
    'a refused range of another function does not matter',
    ['hr:0:u16', 'hr:1:u16'],
    { refused: [{ fc: 4, start: 0, count: 2 }] },
    ['3:0+2 [0 1]'],
  ],
  [
    'a refused register stands alone',
    ['hr:0:u16', 'hr:1:u16', 'hr:2:u16'],
    { refused: [{ fc: 3, start: 1, count: 1 }] },
    ['3:0+1 [0]', '3:1+1 [1]', '3:2+1 [2]'],
  ],
] as const)('%s', (_what, texts, more, blocks) => {
  expect(plan(texts, more)).toEqual(blocks);
});

const split = (texts: readonly string[]): string[] | undefined => {
  const addresses = texts.map((text) => parseAddress(text));
  const [block] = planBlocks(addresses, limits);
  return splitBlock(block!, addresses)?.map(show);
};

test.each([
  ['at the widest gap', ['hr:0:u16', 'hr:1:u16', 'hr:5:u16', 'hr:7:u16'], ['3:0+2 [0 1]', '3:5+3 [2 3]']],
  [
    'in the middle when there is none',
    ['hr:0:u16', 'hr:1:u16', 'hr:2:u16', 'hr:3:u16'],
    ['3:0+2 [0 1]', '3:2+2 [2 3]'],
  ],
  ['never inside a number', ['hr:0:f64', 'hr:1:u16', 'hr:4:u16'], ['3:0+4 [0 1]', '3:4+1 [2]']],
  ['not at all for one point', ['hr:0:f64'], undefined],
  ['not at all for bits of one register', ['hr:0:bit:1', 'hr:0:bit:2'], undefined],
] as const)('a refused block is cut %s', (_where, texts, halves) => {
  expect(split(texts)).toEqual(halves);
});

const anyAddress = fc
  .record({
    table: fc.constantFrom('hr', 'ir', 'co', 'di'),
    start: fc.integer({ min: 0, max: 400 }),
    type: fc.constantFrom('u16', 'u32', 'f64'),
  })
  .map(({ table, start, type }): Address =>
    parseAddress(table.endsWith('r') ? `${table}:${start}:${type}` : `${table}:${start}`),
  );

test('every point is in exactly one block that holds it whole, and no block is larger than allowed', () => {
  fc.assert(
    fc.property(
      fc.array(anyAddress, { maxLength: 60 }),
      fc.integer({ min: 0, max: 50 }),
      fc.integer({ min: 4, max: 125 }),
      fc.array(anyAddress, { maxLength: 5 }),
      (addresses, gapRegisters, maxRegisters, refused) => {
        const blocks = planBlocks(addresses, { gapRegisters, maxRegisters, refused });
        expect(blocks.flatMap(({ points }) => points).sort((a, b) => a - b)).toEqual(
          addresses.map((_, i) => i),
        );
        for (const { fc: code, start, count, points } of blocks) {
          expect(count).toBeLessThanOrEqual(code <= 2 ? 2_000 : maxRegisters);
          for (const at of points) {
            const address = addresses[at]!;
            expect([
              address.fc,
              address.start >= start,
              address.start + address.count <= start + count,
            ]).toEqual([code, true, true]);
          }
        }
      },
    ),
    { numRuns: 500 },
  );
});
