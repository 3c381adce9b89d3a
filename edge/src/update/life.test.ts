import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { GatewayEvent, GatewayHealth, SignedText, UpdateChunkQuery } from '@parkline/contract';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { silenceOf } from '../health/devices.ts';
import { makeRelease, releaseKeys } from '../testing/releases.ts';
import { createUpdateLife, type UpdateLifeDeps } from './life.ts';
import { chunksOf } from './pack.ts';
import { headOf, type ReleaseFile } from './release-file.ts';
import { scratchFolder } from './scratch.ts';
import { openSlots, type Slots, writeProgramState } from './slots.ts';

const keys = releaseKeys();
const gatewayId = '018f0000-0000-7000-8000-000000000001';
const meter = '018f0000-0000-7000-8000-000000000002';

let home: ReturnType<typeof scratchFolder>;
let slots: Slots;
let at: number;
let offerAt: number;
let events: GatewayEvent[];
let devices: GatewayHealth['devices'];
let connected: boolean;
let replaced: number;
/** What the cloud answers to a chunk query. */
let chunks: readonly Uint8Array[];
let asked: number[];

const device = (state: 'online' | 'silent') => ({ equipmentId: meter, state, lastOkAt: 1, error: null });

beforeEach(() => {
  home = scratchFolder();
  const folder = join(home.path, 'program');
  mkdirSync(join(folder, 'a'), { recursive: true });
  writeFileSync(
    join(home.path, 'release.pub.pem'),
    keys.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  );
  writeProgramState(folder, {
    ...{ format: 1, current: 'a', version: '1.0.0', trial: null, highest: '1.0.0', offerAt: 0, untold: [] },
  });
  slots = openSlots(folder);
  [at, offerAt, replaced, connected] = [0, 1, 0, true];
  [events, asked, chunks, devices] = [[], [], [], [device('online')]];
});
afterEach(() => {
  home[Symbol.dispose]();
});

const deps = (over: Partial<UpdateLifeDeps> = {}): UpdateLifeDeps => ({
  slots,
  keyPath: join(home.path, 'release.pub.pem'),
  board: {
    list: () => devices,
    silence: (required: readonly string[]) => silenceOf(devices, required, () => 'Main meter'),
  },
  isCloudConnected: () => connected,
  ask: (query) => {
    const { chunk } = JSON.parse(Buffer.from(query).toString()) as UpdateChunkQuery;
    asked.push(chunk);
    const bytes = chunks[chunk];
    return bytes ? Promise.resolve(bytes) : Promise.reject(new Error('no link'));
  },
  get: () => Promise.reject(new Error('no web')),
  replace: () => {
    replaced += 1;
  },
  events: { add: (event) => void events.push(event) },
  clock: { now: () => at, monotonic: () => at },
  wait: async (ms) => {
    at += ms;
    await nextTurn();
  },
  faults: { fault: () => undefined, over: () => undefined },
  platform: 'linux-x64',
  node: '24.21.0',
  freeBytes: () => 1e12,
  ...over,
});

/** Offers a release and lets the life run until `done`. */
async function live(
  offer: { release: SignedText | null; url?: string } | undefined,
  done: () => boolean,
  over: Partial<UpdateLifeDeps> = {},
): Promise<void> {
  const life = createUpdateLife(deps(over));
  const stop = new AbortController();
  if (offer) life.offer({ gatewayId, at: (offerAt += 1), ...offer });
  const running = life.run(stop.signal);
  for (let turn = 0; !done() && turn < 20_000; turn += 1) await nextTurn();
  stop.abort();
  await running;
  expect(done()).toBe(true);
}

const states = (): string[] =>
  events.map((event) => (event.type === 'update' ? `${event.state} ${event.version}` : event.type));
const whys = (): string => events.map((event) => (event.type === 'update' ? event.why : '')).join('; ');

function serve({ pack }: ReleaseFile): void {
  chunks = chunksOf(pack);
}
const newer = (noise = 600_000): ReleaseFile => makeRelease(keys.privateKey, { version: '1.1.0' }, { noise });

test('a release is fetched in chunks, put into the other slot whole, and runs on trial', async () => {
  const release = newer();
  serve(release);
  await live({ release: release.signed }, () => replaced > 0);
  expect(asked).toEqual([0, 1, 2]);
  expect(slots.state()).toMatchObject({
    ...{ current: 'b', version: '1.1.0', highest: '1.0.0' },
    trial: { previous: 'a', previousVersion: '1.0.0', required: [meter], needsCloud: true },
  });
  expect(readFileSync(join(slots.pathOf('b'), 'noise'))).toHaveLength(600_000);

  await live(undefined, () => slots.state().trial === null && events.length === 2);
  expect(states()).toEqual(['applied 1.1.0', 'kept 1.1.0']);
  expect(slots.state()).toMatchObject({ current: 'b', highest: '1.1.0', untold: [] });
});

test('what was fetched before a break is used: only the rest is asked for', async () => {
  const release = newer();
  const all = chunksOf(release.pack);
  chunks = all.slice(0, 2);
  await live({ release: release.signed }, () => asked.length > 4);
  expect(slots.state().current).toBe('a');
  [asked, chunks] = [[], all];
  await live({ release: release.signed }, () => replaced > 0);
  expect(asked).toEqual([2]);
});

test('a web server gives ranges of the same file', async () => {
  const release = newer();
  const file = Buffer.concat([headOf(release.signed), release.pack]);
  const get: typeof fetch = (_url, init) => {
    const [, from, to] = /bytes=(\d+)-(\d+)/.exec(new Headers(init?.headers).get('range') ?? '')!;
    return Promise.resolve(new Response(file.subarray(Number(from), Number(to) + 1), { status: 206 }));
  };
  await live({ release: release.signed, url: 'https://mirror.example/x' }, () => replaced > 0, { get });
  expect(slots.state().version).toBe('1.1.0');
  expect(asked).toEqual([]);
});

test.each([
  ['unsigned', () => ({ ...newer().signed, sig: '' }), /no release key/],
  [
    'of a foreign key',
    () => makeRelease(releaseKeys().privateKey, { version: '1.1.0' }).signed,
    /no release key/,
  ],
  [
    'with a manifest that was changed',
    () => {
      const { body, sig } = newer().signed;
      return { body: body.replace('1.1.0', '1.2.0'), sig };
    },
    /no release key/,
  ],
  ['older', () => makeRelease(keys.privateKey, { version: '0.9.0' }).signed, /not newer than 1\.0\.0/],
  [
    'for another platform',
    () => makeRelease(keys.privateKey, { version: '1.1.0', platforms: ['linux-arm64'] }).signed,
    /this gateway is linux-x64/,
  ],
] as const)('a release that is %s is refused, and nothing is fetched', async (_name, make, why) => {
  await live({ release: make() }, () => events.length > 0);
  expect(states()[0]).toMatch(/^refused/);
  expect(whys()).toMatch(why);
  expect(slots.state()).toMatchObject({ current: 'a', version: '1.0.0', trial: null });
  expect([asked, replaced]).toEqual([[], 0]);
});

test('bytes that differ from what was signed, or are cut short, never reach a slot', async () => {
  const release = newer();
  for (const change of [
    (chunk: Buffer) => Buffer.from(chunk).fill(7, 0, 1),
    (chunk: Buffer) => chunk.subarray(0, -1),
  ]) {
    events = [];
    chunks = chunksOf(release.pack).map((chunk, n) => (n === 1 ? change(chunk) : chunk));
    await live({ release: release.signed }, () => events.length > 0);
    expect(states()).toEqual(['failed 1.1.0']);
    expect(whys()).toMatch(/chunk 1 of the pack is not what was signed/);
  }
  expect(slots.state()).toMatchObject({ current: 'a', trial: null });
});

test('a disk without room leaves the running version alone, and its room for readings', async () => {
  const release = newer();
  serve(release);
  await live({ release: release.signed }, () => events.length > 0, { freeBytes: () => 64 * 1024 * 1024 });
  expect(states()).toEqual(['failed 1.1.0']);
  expect(whys()).toMatch(/the disk has 64 MB free/);
  expect([slots.state().current, asked]).toEqual(['a', []]);
});

test('a disk that fills up on the way leaves the running version alone', async () => {
  const release = newer();
  serve(release);
  const full = (step: string): void => {
    const error = Object.assign(new Error('ENOSPC: no space left on device, write'), { syscall: 'write' });
    if (step === 'after-file') throw error;
  };
  await live({ release: release.signed }, () => events.length > 0, { passed: full });
  expect(whys()).toMatch(/ENOSPC/);
  expect(slots.state()).toMatchObject({ current: 'a', trial: null });
});

test('an offer that is taken back stops what is being fetched', async () => {
  const release = newer();
  const life = createUpdateLife(deps());
  const stop = new AbortController();
  life.offer({ gatewayId, at: 10, release: release.signed });
  const running = life.run(stop.signal);
  while (asked.length < 3) await nextTurn();
  life.offer({ gatewayId, at: 11, release: null });
  while (slots.state().offerAt < 11) await nextTurn();
  const before = asked.length;
  serve(release);
  // Older than what was settled: a replay changes nothing.
  life.offer({ gatewayId, at: 10, release: release.signed });
  for (let turn = 0; turn < 200; turn += 1) await nextTurn();
  stop.abort();
  await running;
  expect(asked.length - before).toBeLessThanOrEqual(1);
  expect(replaced).toBe(0);
});

test('a trial under which a device or the cloud stays away goes back after two minutes, with the reason', async () => {
  const release = newer(10);
  for (const [what, why] of [
    ['device', /1 of 1 devices that answered before do not: Main meter/],
    ['cloud', /the cloud was reached before and is not/],
  ] as const) {
    [devices, connected, events, replaced] = [[device('online')], true, [], 0];
    serve(release);
    await live({ release: release.signed }, () => replaced > 0);
    if (what === 'device') devices = [device('silent')];
    else connected = false;
    const from = at;
    await live(undefined, () => replaced > 1);
    expect(at - from).toBeGreaterThanOrEqual(120_000);
    await live(undefined, () => events.length === 2);
    expect(states()).toEqual(['applied 1.1.0', 'rolled-back 1.1.0']);
    expect(whys()).toMatch(why);
    expect(slots.state()).toMatchObject({ current: 'a', version: '1.0.0', highest: '1.0.0', trial: null });
  }
});

test('what was away before the trial may be away under it', async () => {
  [devices, connected] = [[device('silent')], false];
  const release = newer(10);
  serve(release);
  await live({ release: release.signed }, () => replaced > 0);
  await live(undefined, () => slots.state().trial === null);
  expect(slots.state().version).toBe('1.1.0');
});

test('a gateway that no launcher started says so', async () => {
  await live({ release: newer(10).signed }, () => events.length > 0, { slots: undefined });
  expect(whys()).toMatch(/not started by the launcher/);
});
