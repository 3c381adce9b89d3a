import type { Connection, Sample } from '@parkline/kit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
// The library has no way to lose a message on purpose.
import { ClientSidePublishEngine } from 'node-opcua-client/dist/private/client_publish_engine.js';
import { ClientSubscriptionImpl } from 'node-opcua-client/dist/private/client_subscription_impl.js';
import { type OpcuaBench, startOpcuaBench } from '../../../tests/support/opcua.ts';
import { connectionTo, gauge, never } from './testing.ts';

const PATIENCE = { timeout: 20_000, interval: 20 };
let count: number;
let shown = 0;
let bench: OpcuaBench;
let connection: Connection;

beforeAll(async () => {
  bench = await startOpcuaBench({
    devices: ['Lift1'],
    variables: [{ name: 'Counter', as: 'UInt32', quantity: 'counter', weight: 1, digits: 0 }],
    value: () => (shown = count),
  });
}, 60_000);
afterAll(() => bench.stop());
beforeEach(() => {
  count = 0;
  connection = connectionTo(bench);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await connection.close();
});

/** From here on the messages `first`..`last` are lost on the way; acknowledged all the same when the server shall forget them. */
function lose(first: number, last: number, isForgotten: boolean): void {
  const taken = new Set<number>();
  const { onNotificationMessage } = ClientSubscriptionImpl.prototype;
  vi.spyOn(ClientSubscriptionImpl.prototype, 'onNotificationMessage').mockImplementation(function (
    this: ClientSubscriptionImpl,
    message,
  ) {
    const { sequenceNumber } = message;
    if (sequenceNumber < first || sequenceNumber > last || taken.has(sequenceNumber))
      onNotificationMessage.call(this, message);
    taken.add(sequenceNumber);
  });
  const { acknowledge_notification: acknowledge } = ClientSidePublishEngine.prototype;
  vi.spyOn(ClientSidePublishEngine.prototype, 'acknowledge_notification').mockImplementation(function (
    this: ClientSidePublishEngine,
    subscriptionId,
    number,
  ) {
    if (isForgotten || number < first || number > last) acknowledge.call(this, subscriptionId, number);
  });
}

/** Counts to `end`, each count in a message of its own. */
async function countTo(end: number): Promise<void> {
  while (count < end) {
    count += 1;
    await expect.poll(() => shown, PATIENCE).toBe(count);
    await new Promise((resolve) => setTimeout(resolve, 150)); // Longer than the publishing interval.
  }
}

test('messages lost on the way are asked for again and told in order', async () => {
  lose(2, 3, false);
  const told: Sample[] = [];
  const stop = new AbortController();
  const over = connection.device({ root: 'Lift1' }).subscribe!(
    [gauge('Counter')],
    (sample) => told.push(sample),
    stop.signal,
  );
  await expect.poll(() => told.length, PATIENCE).toBe(1);
  await countTo(4);
  await expect.poll(() => told.at(-1)?.value, PATIENCE).toBe(4);
  expect(told.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4]);
  expect(told.map(({ at }) => at)).toEqual(told.map(({ at }) => at).sort((a, b) => a - b));
  stop.abort();
  await over;
});

test('a message that is lost and not kept is said, and the subscription begins anew', async () => {
  lose(2, 2, true);
  const told: Sample[] = [];
  const over = connection.device({ root: 'Lift1' }).subscribe!(
    [gauge('Counter')],
    (sample) => told.push(sample),
    never(),
  );
  const ended = expect(over).rejects.toMatchObject({ code: 'refused', message: /changes were lost/ });
  await expect.poll(() => told.length, PATIENCE).toBe(1);
  await countTo(1);
  await ended; // By the sign of life at the latest.
  expect(told.map(({ value, why }) => value ?? why)).toEqual([0, 'changes were lost']);
});
