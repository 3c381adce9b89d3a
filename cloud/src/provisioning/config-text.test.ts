import { expect, test } from 'vitest';
import { loadTemplates } from '@parkline/templates';
import { parse, parseDocument } from 'yaml';
import { gatewayConfig } from '../fleet/index.ts';
import { plainSecrets, textOf } from './config-make.ts';
import { checkText } from './config-text.ts';

const start = 'version: 1\ngatewayId: g1\n';
const ten = (of: string): string => `[${Array.from({ length: 10 }, () => of).join(', ')}]`;

test('an alias that can be followed is as good as what it stands for', () => {
  expect(() => checkText(`${start}a: &a { b: 1 }\nc: [*a, *a]\n`, 'g1')).not.toThrow();
});

test.each([
  ['has no anchor', 'x: *nope'],
  ['is a key without an anchor', '? *nope\n: 1'],
  ['comes before its anchor', 'x: *a\ny: &a 1'],
  ['stands for too much', `a: &a ${ten('1')}\nb: &b ${ten('*a')}\nc: &c ${ten('*b')}\nd: ${ten('*c')}`],
  ['stands for the map that it is in', 'x: &a { y: *a }'],
  ['stands for the list that it is in', 'x: &a [[*a]]'],
])('a text with an alias that %s is refused in both languages', (_what, yaml) => {
  expect(() => checkText(start + yaml, 'g1')).toThrow(
    expect.objectContaining({
      code: 'bad_input',
      details: [
        {
          field: 'body.yaml',
          message: { en: expect.stringMatching(/^an alias/), zh: expect.stringContaining('别名') },
        },
      ],
    }),
  );
});

test('a secret in plain text is found whatever way its name is written', () => {
  const plain = (yaml: string) => plainSecrets(parseDocument(yaml));
  expect(plain('password: hunter2')).toEqual(['password']);
  expect(plain('x: &k password\n*k : hunter2')).toEqual(['password']);
  expect(plain('x: &k password\n*k : "${secret:bus:password}"')).toEqual([]);
});

test('the text for more than a hundred devices of one model can be read', () => {
  const templates = loadTemplates();
  const template = 'fcu/generic-bacnet';
  const point = templates.get(template)!.points.find(({ write }) => write)!;
  const seeded = { pollMs: 1_000, heartbeatMs: 60_000 };
  const devices = Array.from({ length: 102 }, (_, device) => ({
    ...{ id: `d${device}`, key: `k${device}`, name: `n${device}`, bus: 'b', protocol: 'bacnet', template },
    params: { device },
    points: new Map([[point.key, { ...seeded, id: `p${device}` }]]),
  }));
  const made = gatewayConfig(
    { id: 'g1', name: 'g', timezone: 'UTC', devices },
    { ports: { b: { host: '10.0.0.1', port: 47_808 } }, natsUrl: 'nats://a', templates },
  );
  const text = textOf(made);
  expect(() => checkText(text, 'g1')).not.toThrow();
  expect(parse(text)).toEqual(JSON.parse(JSON.stringify(made)));
});
