import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { clonedDatabase } from '../platform/testing.ts';
import { createGateways } from './gateways.ts';
import { givenPark } from './testing.ts';

const database = await clonedDatabase();
const owner = database.pool();

test('while keys change two are believed, and none once the gateway is thrown out', async () => {
  const { id } = (await givenPark(owner)).gateways[0]!;
  const gateways = createGateways({ pool: database.pool('parkline_ingest'), now: () => new Date(0) });
  const keys = async () => (await gateways.find(id))?.keys.length;
  expect(await keys()).toBe(1);
  const next = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' });
  await owner.query('update gateway set next_public_key = $2 where id = $1', [id, next]);
  expect(await keys()).toBe(1); // Remembered, until the database tells of the change.
  gateways.forget(id);
  expect(await keys()).toBe(2);
  await owner.query('update gateway set revoked_at = now() where id = $1', [id]);
  gateways.forget();
  expect(await keys()).toBe(0);
});
