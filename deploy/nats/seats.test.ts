import { expect, test } from 'vitest';
import { dialled, seatsOf } from './seats.ts';

const whole = {
  ...{ port: 4222, clusterPort: 6222, httpPort: 8222 },
  ...{ configDir: '/etc/parkline/nats', dataDir: '/var/lib/parkline/nats' },
};
const named = (...hosts: string[]) => hosts.map((host, n) => ({ name: 'abc'[n] ?? '', hosts: [host] }));

test('servers with a machine each have the same ports and folders on it, whatever other address they share', () => {
  const servers = named('hub-a', 'hub-b', 'hub-c').map((one) => ({
    ...one,
    hosts: [...one.hosts, '10.0.0.1'],
  }));
  for (const seat of seatsOf(servers, whole)) expect(seat).toMatchObject({ ...whole, address: '0.0.0.0' });
});

test.each([
  ['one host three times', ['hub', 'HUB', 'hub'], '0.0.0.0'],
  ['one address of loopback', ['127.0.0.1', '127.0.0.1', '127.0.0.1'], '127.0.0.1'],
  ['three addresses of loopback', ['127.0.0.1', '127.0.0.2', '127.0.0.3'], '127.0.0.3'],
])('servers on one machine (%s) have ports and folders of their own', (_what, hosts, address) => {
  const seats = seatsOf(named(...hosts), whole);
  expect(seats.map(({ port, clusterPort, httpPort }) => [port, clusterPort, httpPort])).toEqual([
    [4222, 6222, 8222],
    [4223, 6223, 8223],
    [4224, 6224, 8224],
  ]);
  expect(seats[2]).toMatchObject({
    address,
    ...{ configDir: '/etc/parkline/nats/server-c', dataDir: '/var/lib/parkline/nats/c' },
  });
});

test.each([
  ['a name twice', named('x', 'y').map((one) => ({ ...one, name: 'a' })), {}, '--server a is named twice'],
  [
    'loopback beside another machine',
    named('x', '::1', 'y'),
    {},
    '--server b=::1: the servers on other machines',
  ],
  [
    'ports that meet',
    named('x', 'x', 'x'),
    { clusterPort: 4224 },
    '--cluster-port .* port 4224 is taken twice',
  ],
  ['ports that are none', named('x', 'x', 'x'), { port: 65_534 }, 'port 65536 is above 65535'],
] as const)('%s cannot be, and the argument is named', (_what, servers, change, words) => {
  expect(() => seatsOf(servers, { ...whole, ...change })).toThrow(new RegExp(words));
});

test('an address of the sixth version is parted from its port', () => {
  expect([dialled('::1', 4222), dialled('hub', 4222)]).toEqual(['[::1]:4222', 'hub:4222']);
});
