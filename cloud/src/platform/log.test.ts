import { expect, test } from 'vitest';
import { createLog } from './log.ts';

test.each(['password', 'token', 'cookie', 'authorization', 'seed'])('a %s never reaches the log', (name) => {
  const lines: string[] = [];
  const log = createLog('info', { write: (line) => void lines.push(line) });
  log.info({ [name]: 's3cret', body: { [name]: 's3cret' }, req: { headers: { [name]: 's3cret' } } }, 'said');
  expect(lines.join()).not.toContain('s3cret');
  expect(lines.join()).toContain('[secret]');
});
