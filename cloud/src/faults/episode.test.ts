import fc from 'fast-check';
import { expect, test } from 'vitest';
import { advance, idle, type Sure, type Times, type Track } from './episode.ts';

const times: Times = { forMs: 20_000, clearForMs: 10_000, latched: false };

/** What happened when, one look a second: h holds, n not, ? unknown. @returns events as `<second> <event>`. */
function play(looks: string, own: Times = times): string[] {
  const sures: Readonly<Record<string, Sure>> = { h: 'holds', n: 'not', '?': 'unknown' };
  const told: string[] = [];
  let track: Track = idle;
  [...looks].forEach((look, second) => {
    const step = advance(track, sures[look]!, second * 1_000, own);
    track = step.track;
    if (step.event) told.push(`${second} ${step.event}`);
  });
  return told;
}

const [h, n, gap] = ['h', 'n', '?'].map((look) => (count: number) => look.repeat(count));

test.each([
  ['opens when it held for its time, once', h!(60), ['20 open']],
  ['does not open a second too early', h!(20), []],
  ['starts anew after the contrary', h!(15) + n!(1) + h!(15), []],
  ['a point that flaps faster than its time makes no episode', (h!(5) + n!(1)).repeat(20), []],
  ['clears when the contrary held for its time', h!(21) + n!(11), ['20 open', '31 clear']],
  ['flapping makes one episode', h!(21) + (n!(9) + h!(1)).repeat(10) + n!(11), ['20 open', '131 clear']],
  ['silence opens nothing', gap!(100), []],
  ['time without evidence does not count, and does not undo', h!(11) + gap!(30) + h!(9), []],
  ['and what went before it does', h!(11) + gap!(30) + h!(11), ['50 open']],
  ['silence clears nothing', h!(21) + gap!(100), ['20 open']],
  [
    'silence in the middle of clearing is left out',
    h!(21) + n!(6) + gap!(20) + n!(6),
    ['20 open', '51 clear'],
  ],
  ['opens again after it cleared', h!(21) + n!(11) + h!(21), ['20 open', '31 clear', '52 open']],
])('%s', (_what, looks, told) => {
  expect(play(looks)).toEqual(told);
});

test('without a time it opens and clears at once', () => {
  expect(play('nhhnh', { forMs: 0, clearForMs: 0, latched: false })).toEqual(['1 open', '3 clear', '4 open']);
});

test('what only a person can end does not end by itself', () => {
  expect(play(`h${n!(100)}`, { forMs: 0, clearForMs: 0, latched: true })).toEqual(['0 open']);
});

test('a clock that is set back opens nothing early', () => {
  const pending = advance(idle, 'holds', 100_000, times).track;
  expect(advance(pending, 'holds', 50_000, times).event).toBeUndefined();
});

test('whatever is seen, openings and clearings take turns, and nothing opens on less than its time', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom('h', 'n', '?'), { maxLength: 200 }), (looks) => {
      const told = play(looks.join('')).map((one) => one.split(' ') as [string, string]);
      told.forEach(([, event], i) => expect(event).toBe(i % 2 === 0 ? 'open' : 'clear'));
      let cleared = 0;
      for (const [second, event] of told) {
        const between = looks.slice(cleared, Number(second) + 1);
        if (event === 'open') expect(between.filter((look) => look === 'h').length).toBeGreaterThan(20);
        cleared = Number(second) + 1;
      }
    }),
  );
});
