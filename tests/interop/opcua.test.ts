import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection, Driver, Found, PointRef, Sample } from '@parkline/kit';
import { driver } from '@parkline/opcua';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { findOpen62541, type Open62541 } from './open62541.ts';

const peer = await findOpen62541();
const noon = Date.UTC(2026, 10, 22, 12);
const never = (): AbortSignal => new AbortController().signal;
const quiet = (): void => undefined;
const ref = (address: string, over: Partial<PointRef> = {}): PointRef => ({
  ...{ pointId: address, address, scale: 1, kind: 'gauge' as const },
  ...over,
});

describe.skipIf(!peer.ok)(`against an open62541 server${peer.ok ? '' : ` (${peer.why})`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'parkline-interop-'));
  let server: Open62541;
  let fingerprint: string;
  let connection: Connection;
  let device: Driver;

  const connect = (params: object): Connection =>
    driver.openConnection(
      { endpointUrl: server.endpointUrl, namespace: 'urn:open62541.server.application', ...params },
      { now: Date.now, log: { debug: quiet, info: quiet, warn: quiet }, dataDir: folder },
    );
  const shown = async (address: string): Promise<number | null | undefined> =>
    (await device.read([ref(address)], never()))[0]?.value;

  beforeAll(async () => {
    if (!peer.ok) return;
    server = await peer.start();
    const stranger = connect({});
    const refused: unknown = await stranger
      .device({})
      .connect(never())
      .catch((error: unknown) => error);
    fingerprint = /SHA-256 ([0-9a-f]{64})/.exec(String(refused))?.[1] ?? String(refused);
    await stranger.close();
  }, 60_000);
  afterAll(async () => {
    await server.stop();
    if (peer.ok) peer.remove();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    connection = connect({ serverFingerprint: fingerprint, samplingMs: 100, publishingMs: 100 });
    device = connection.device({});
  });
  afterEach(() => connection.close());

  test('the refusal of an unknown server names the fingerprint to trust', () => {
    expect(fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  test.each(['Basic256Sha256', 'Aes128_Sha256_RsaOaep', 'Aes256_Sha256_RsaPss'])(
    '%s is spoken',
    async (securityPolicy) => {
      const other = connect({ serverFingerprint: fingerprint, securityPolicy });
      const [sample] = await other.device({}).read([ref('Shown')], never());
      expect(sample).toMatchObject({ value: -5, quality: 'good' });
      await other.close();
    },
  );

  test('a user is let in with the right password only', async () => {
    for (const [password, isRight] of [
      ['secret', true],
      ['wrong', false],
    ] as const) {
      const login = connect({ serverFingerprint: fingerprint, user: 'parkline', password });
      const reading = login.device({}).read([ref('Shown')], never());
      if (isRight) await expect(reading).resolves.toHaveLength(1);
      else await expect(reading).rejects.toMatchObject({ code: 'refused' });
      await login.close();
    }
  });

  test('browsing finds its variables with type and access', async () => {
    const found = new Map<string, Found>();
    for await (const one of device.browse(never())) found.set(one.address, one);
    expect(found.get('Float')).toEqual({
      ...{ address: 'Float', label: 'Float', writable: true, facts: { type: 'Float', value: '230.1' } },
    });
    expect(found.get('Shown')).toMatchObject({ writable: false, facts: { type: 'Int32', value: '-5' } });
    expect(found.get('Kept')?.facts).toMatchObject({ history: 'self' });
  });

  test.each([
    ['Boolean', 0],
    ['Int32', -2_147_483_648],
    ['Int64', -9_007_199_254_740_991],
    ['Float', 21.7],
    ['Double', 0.1 + 0.2],
  ])('%s is written and shows it', async (address, value) => {
    const result = await device.write!({ ref: ref(address), value }, never());
    expect(result).toMatchObject({ state: 'done', readBack: value });
    expect(await shown(address)).toBe(value);
  });

  test('what is read only is refused', async () => {
    await expect(device.write!({ ref: ref('Shown'), value: 1 }, never())).rejects.toMatchObject({
      code: 'refused',
    });
    expect(await shown('Shown')).toBe(-5);
  });

  test('its history comes in its pages, bad and uncertain values as such', async () => {
    const samples: Sample[] = [];
    let pages = 0;
    const kept = ref('Kept', { history: 'self' });
    for await (const page of device.history!(kept, noon, noon + 250_000, never())) {
      samples.push(...page);
      pages += 1;
    }
    expect(pages).toBe(3);
    expect(samples.map(({ at }) => (at - noon) / 1_000)).toEqual(Array.from({ length: 250 }, (_, n) => n));
    expect(samples[1]).toMatchObject({ value: 0.5, quality: 'good' });
    expect(samples[10]).toMatchObject({ value: 5, quality: 'uncertain', why: 'UncertainLastUsableValue' });
    expect(samples[50]).toMatchObject({ value: null, quality: 'bad', why: 'BadSensorFailure' });
  });

  test('history of what keeps none is refused for good', async () => {
    const pages = device.history!(ref('Double', { history: 'self' }), noon, noon + 1, never());
    await expect(pages[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'config' });
  });

  test('a subscription tells changes', async () => {
    const told: (number | null)[] = [];
    const stop = new AbortController();
    const over = device.subscribe!([ref('Double')], ({ value }) => told.push(value), stop.signal);
    await expect.poll(() => told.length, { timeout: 15_000 }).toBe(1);
    await device.write!({ ref: ref('Double'), value: 42 }, never());
    await expect.poll(() => told.at(-1), { timeout: 15_000 }).toBe(42);
    stop.abort();
    await over;
  });
});
