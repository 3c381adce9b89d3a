import { expect, test } from 'vitest';
import { frame, nameOf, parseDatagram, parseIAm } from './datagram.ts';

const octets = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const sender = { address: '10.0.0.7', port: 47_808 };

test('an answer comes from its sender', () => {
  const apdu = octets('20 01 05');
  expect(parseDatagram(frame(apdu, {}, false), sender)).toEqual({ from: sender, apdu, isForwarded: false });
});

test('a device behind a router is told from its neighbours there', () => {
  const from = (adr: string) =>
    parseDatagram(octets(`81 0a 00 0e 01 08 07 d1 01 ${adr} 20 01 05 00`), sender)!.from;
  expect([nameOf(from('05')), nameOf(from('06'))]).toEqual([
    '10.0.0.7:47808/2001:05',
    '10.0.0.7:47808/2001:06',
  ]);
});

test('the hop count of a message with a destination is no part of it', () => {
  expect(parseDatagram(octets('81 0b 00 0c 01 20 ff ff 00 ff 10 08'), sender)?.apdu).toEqual(octets('10 08'));
});

test('a forwarded broadcast comes from the station it began at', () => {
  const iAm = '10 00 c4 02 00 07 d1 22 05 c4 91 00 21 0f';
  const message = parseDatagram(octets(`81 04 00 1a c0 a8 01 05 ba c1 01 00 ${iAm}`), sender)!;
  expect(message).toMatchObject({ from: { address: '192.168.1.5', port: 47_809 }, isForwarded: true });
  expect(parseIAm(message)).toEqual({ instance: 2001, maxApdu: 1476, vendorId: 15, place: message.from });
});

test.each([
  ['a few octets', '81 0a 00'],
  ['another protocol', '82 0a 00 09 01 00 20 01 05'],
  ['a wrong length', '81 0a 00 0a 01 00 20 01 05'],
  ['a message among routers', '81 0a 00 09 01 80 00 01 05'],
  ['a function for the network', '81 00 00 09 01 00 20 01 05'],
  ['another version', '81 0a 00 09 02 00 20 01 05'],
  ['a source that runs past the end', '81 0a 00 0c 01 08 07 d1 20 05 20 01'],
  ['a source without an address', '81 0a 00 0c 01 08 07 d1 00 20 01 05'],
  ['a broadcast forwarded for nobody', '81 04 00 0e c0 a8 01 05 00 00 01 00 10 08'],
  ['headers and nothing else', '81 0a 00 07 01 00 20'],
])('%s is no message', (_what, hex) => {
  expect(parseDatagram(octets(hex), sender)).toBeUndefined();
});

test('no datagram is longer than the standard has them', () => {
  expect(parseDatagram(frame(Buffer.alloc(1_600), {}, false), sender)).toBeUndefined();
});

test.each([
  ['a Who-Is', '10 08'],
  ['an I-Am of no device', '10 00 c4 00 00 07 d1 22 05 c4 91 00 21 0f'],
  ['an I-Am that breaks off', '10 00 c4 02 00 07 d1'],
  ['an I-Am without a length', '10 00 c4 02 00 07 d1 91 00 91 00 21 0f'],
])('%s tells of no device', (_what, hex) => {
  expect(parseIAm({ apdu: octets(hex), from: sender, isForwarded: false })).toBeUndefined();
});
