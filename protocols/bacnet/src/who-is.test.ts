import { expect, test } from 'vitest';
import { createCaller } from './who-is.ts';

test('a network is asked by broadcast, a station plainly first and then so that a router asks behind it', () => {
  const sent: string[] = [];
  const caller = createCaller({
    targets: [
      { host: '10.0.0.255', port: 47_808 },
      { host: '10.0.0.9', port: 47_809 },
    ],
    send: (datagram, { address, port }) => void sent.push(`${address}:${port} ${datagram.toString('hex')}`),
    distributor: () => undefined,
  });
  caller.whoIs(5, 6, false);
  caller.whoIs(5, 6, true);
  const broadcast = '10.0.0.255:47808 810b00100120ffff00ff100809051906';
  const [plain, far] = [
    '10.0.0.9:47809 810a000c0100100809051906',
    '10.0.0.9:47809 810a00100120ffff00ff100809051906',
  ];
  expect(sent).toEqual([broadcast, plain, broadcast, far]);
});
