import { describe, expect, test } from 'vitest';
import { createSequence } from './sequence.ts';

type Message = number | ['quiet', number];

function after(...messages: readonly Message[]) {
  const sequence = createSequence();
  const said = messages.map((message) =>
    typeof message === 'number' ? sequence.take(message, false) : sequence.take(message[1], true),
  );
  return { missing: sequence.missing(), complete: sequence.complete(), last: said.at(-1) };
}

describe('of the messages of a subscription', () => {
  test.each<[string, Message[], readonly number[] | 'too many', number]>([
    ['none is missing before the first', [], [], -1],
    ['those in order are complete', [1, 2, 3], [], 3],
    ['a sign of life bears the number of one that has not come', [1, ['quiet', 2]], [], 1],
    ['the one after a sign of life bears the same number', [1, ['quiet', 2], 2], [], 2],
    ['a gap is noticed by the next', [1, 2, 5], [3, 4], 2],
    ['a gap is noticed by a sign of life', [1, 2, ['quiet', 4]], [3], 2],
    ['a gap is closed by what comes again', [1, 4, 2, 3], [], 4],
    ['a gap is closed in part', [1, 4, 3], [2], 1],
    ['one that comes twice counts once', [1, 2, 3, 2], [], 3],
    ['the count may begin anywhere', [17, 18], [], 18],
    ['the count comes round to 1', [0xffff_fffe, 0xffff_ffff, 1, 2], [], 2],
    ['a gap may lie where the count comes round', [0xffff_fffe, 2], [0xffff_ffff, 1], 0xffff_fffe],
    ['too many cannot be asked for', [1, 5_000], 'too many', 4_999],
  ])('%s', (_what, messages, missing, complete) => {
    const found = after(...messages);
    expect(found.missing).toEqual(missing);
    if (missing !== 'too many') expect(found.complete).toBe(complete);
  });

  test('a server that forgot the subscription counts anew', () => {
    expect(after(1, 2, 3, 1)).toMatchObject({ last: 'anew', missing: [], complete: 1 });
    expect(after(1, 2, 3, ['quiet', 1])).toMatchObject({ last: 'anew', missing: [] });
    expect(after(1, 2, 5, 1, 3)).toMatchObject({ last: 'on', missing: [2] });
    expect(after(1, 2, 3, 2).last).toBe('on');
  });
});
