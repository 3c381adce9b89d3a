import { expect, test } from 'vitest';
import { serverFaults } from './nats-server.ts';

const safe = { strict: true, sync_always: true };
const reply = (config: object | undefined, version = '2.15.1') => ({
  data: { server_name: 'hub-a', version, ...(config && { jetstream: { config } }) },
});

test('a server that syncs each message and parses strictly is safe from 2.14 on', () => {
  expect(serverFaults([reply(safe), reply(safe, '2.14.0'), reply(safe, '3.0.0')])).toEqual([]);
});

test.each([
  ['lax parsing', reply({ ...safe, strict: false }), /^hub-a: jetstream strict is not true/],
  ['parsing of which nothing is said', reply({ sync_always: true }), /strict/],
  ['syncing now and then', reply({ ...safe, sync_always: false }), /sync_interval is not always/],
  ['an old version', reply(safe, '2.12.9'), /2\.12\.9 is older than 2\.14/],
  ['no version', { data: { jetstream: { config: safe } } }, /^a server: version \? is older/],
])('%s is named', (_what, state, expected) => {
  const faults = serverFaults([state]);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toMatch(expected);
});

test('one unsafe server of a cluster is enough, and silence is no safety', () => {
  expect(serverFaults([reply(safe), reply(undefined)])).toHaveLength(2);
  expect(serverFaults([])).toHaveLength(1);
  expect(serverFaults([null])).toHaveLength(3);
});
