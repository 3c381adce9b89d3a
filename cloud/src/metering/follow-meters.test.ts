import { expect, test } from 'vitest';
import { type Hanging, stepOf } from './follow-meters.ts';

const hanging = (over: Partial<Hanging>): Hanging => ({
  ...{ spaceId: null, measures: null, hung: false, planned: false, heard: false },
  ...over,
});

test.each([
  ['measures no space and never did', {}, 'none'],
  ['is bound to a space for the first time', { spaceId: 'a' }, 'hang_always'],
  ['measures what it is bound to', { spaceId: 'a', measures: 'a', hung: true }, 'none'],
  ['was bound to the wrong space and never heard', { spaceId: 'b', measures: 'a', hung: true }, 'correct'],
  [
    'goes to another space after it counted',
    { spaceId: 'b', measures: 'a', hung: true, heard: true },
    'move',
  ],
  ['is bound to none any more', { measures: 'a', hung: true, heard: true }, 'end'],
  ['is bound to none any more, and was never heard', { measures: 'a', hung: true }, 'forget'],
  ['is bound again', { spaceId: 'a', hung: true }, 'hang'],
  ['hangs where a plan says', { spaceId: 'b', hung: true, planned: true }, 'none'],
] as const)('a meter that %s', (_what, over, step) => {
  expect(stepOf(hanging(over))).toBe(step);
});
