import type { ConfigOffer } from '@parkline/contract';
import { expect, test } from 'vitest';
import { newKeys } from '../testing/cloud.ts';
import { signedCommand } from '../testing/commands.ts';
import { rememberingFaults } from '../testing/remembering-faults.ts';
import { createOffers } from './offers.ts';

const cloud = newKeys();
const gatewayId = '018f0000-0000-7000-8000-000000000001';
const offer: ConfigOffer = { gatewayId, yaml: 'version: 1\n', at: 5 };
const signed = (body: object, key = cloud.privateKey): Uint8Array => signedCommand(JSON.stringify(body), key);

function taken(bytes: Uint8Array): { offers: ConfigOffer[]; lines: string[] } {
  const offers: ConfigOffer[] = [];
  const faults = rememberingFaults();
  createOffers({ gatewayId, cloudKey: cloud.publicKey, faults, onOffer: (one) => void offers.push(one) })(
    bytes,
  );
  return { offers, lines: faults.lines };
}

test('a configuration is taken when the cloud signed it for this gateway', () => {
  expect(taken(signed(offer))).toEqual({ offers: [offer], lines: [] });
});

test.each([
  ['somebody else signed it', signed(offer, newKeys().privateKey), 'signature'],
  [
    'it is for another gateway',
    signed({ ...offer, gatewayId: gatewayId.replace('0001', '0009') }),
    'gateway',
  ],
  ['it has no time', signed({ gatewayId, yaml: '' }), 'schema'],
  ['nobody signed it', Buffer.from(JSON.stringify(offer)), 'unreadable'],
  ['it is no JSON', Buffer.from('{'), 'unreadable'],
])('it is not when %s', (_what, bytes, why) => {
  expect(taken(bytes)).toEqual({ offers: [], lines: [`fault configuration refused ${why}`] });
});
