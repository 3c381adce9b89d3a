import { expect, test } from 'vitest';
import { formatList } from './list.ts';

test('each language separates with its own mark', () => {
  expect(formatList(['A', 'B', 'C'], 'en')).toBe('A, B, C');
  expect(formatList(['甲', '乙', '丙'], 'zh-CN')).toBe('甲、乙、丙');
  expect(formatList([], 'en')).toBe('');
});
