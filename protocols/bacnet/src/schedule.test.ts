import { expect, test } from 'vitest';
import { exceptionWords, weekWords } from './schedule.ts';

const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const day = '0e b4 07 00 00 00 44 41 a8 00 00 b4 13 1e 00 00 44 41 80 00 00 0f';

test('a week is told with days alike together', () => {
  expect(weekWords(octets(`${`${day} `.repeat(5)} 0e 0f 0e b4 00 00 00 00 00 0f`))).toBe(
    'Mon-Fri 07:00 21, 19:30 16; Sat off; Sun 00:00 default',
  );
  expect(weekWords(octets('0e 0f'.repeat(7)))).toBe('nothing');
});

test('exceptions: dates, ranges, weeks and days, calendars', () => {
  const on = '2e b4 08 00 00 00 91 01 2f';
  const entries = [
    `0e 0c 7e 0c 19 ff 0f ${on} 39 01`,
    `0e 1e a4 7e 07 01 ff a4 7e 07 1f ff 1f 0f ${on} 39 05`,
    `0e 2b ff 06 07 0f 2e 2f 39 10`,
    `1c 01 80 00 03 ${on} 39 09`,
    `0e 0c ff 05 01 ff 0f ${on} 39 09`,
  ];
  expect(exceptionWords(octets(entries.join(' ')))).toBe(
    [
      '2026-12-25: 08:00 1 (priority 1)',
      '2026-07-01 to 2026-07-31: 08:00 1 (priority 5)',
      'every Sun of the last week: off (priority 16)',
      'calendar,3: 08:00 1 (priority 9)',
      '*-05-01: 08:00 1 (priority 9)',
    ].join('; '),
  );
  expect(exceptionWords(octets(''))).toBe('none');
});

test.each(['0e b4 07 00 00 00', '0e 44 00 00 00 00 91 01 0f', '0e 0c 7e 0c 19 ff 0f'])(
  '%s is malformed',
  (hex) => {
    expect(() => (hex.length > 25 ? weekWords(octets(hex)) : exceptionWords(octets(hex)))).toThrow(
      expect.objectContaining({ name: 'Malformed' }),
    );
  },
);
