import { expect, test } from 'vitest';
import { readLog, readLogLine } from './log-lines.ts';

const line = (over: object) =>
  JSON.stringify({ level: 30, time: 1_000, process: 'gateway', gatewayId: 'g', msg: 'ready', ...over });

test('a line is taken apart into what every line has and what it alone says', () => {
  const text = line({ level: 40, driver: 'modbus', tookMs: 12, err: { message: 'lost' } });
  expect(readLogLine(text, 3)).toEqual({
    ...{ id: '3', level: 'warn', at: 1_000, module: 'modbus', message: 'ready' },
    fields: [
      ['tookMs', '12'],
      ['err', '{\n "message": "lost"\n}'],
    ],
  });
  expect(readLogLine(line({}), 0)).toMatchObject({ module: 'gateway', fields: [] });
});

test('what is no line of the log is shown as it is', () => {
  expect(readLogLine('Segmentation fault', 0)).toMatchObject({
    level: 'error',
    message: 'Segmentation fault',
  });
  expect(readLogLine('[1]', 0)).toMatchObject({ level: 'error', message: '[1]' });
});

test('the newest comes first, and nothing below the level that is asked for', () => {
  const lines = [20, 30, 40, 50, 60].map((level) => line({ level, msg: String(level) }));
  const said = (least: 'debug' | 'warn') => readLog(lines, least).map(({ message }) => message);
  expect(said('debug')).toEqual(['60', '50', '40', '30', '20']);
  expect(said('warn')).toEqual(['60', '50', '40']);
});
