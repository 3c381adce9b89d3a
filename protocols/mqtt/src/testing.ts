import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection, DriverLog, PointRef } from '@parkline/kit';
import { rootOf } from './access.ts';
import type { BrokerDeps } from './broker.ts';
import type { Account } from './door.ts';
import { driver } from './index.ts';
import { usualTime } from './payload.ts';
import type { Station } from './station.ts';
import { createTopicSubject } from './subject.ts';
import { createThrottle } from './throttle.ts';

export const quietLog: DriverLog = { debug: () => undefined, info: () => undefined, warn: () => undefined };

/** Signal of a test that never gives up. */
export const never = (): AbortSignal => new AbortController().signal;

export const point = (address: string, over: Partial<PointRef> = {}): PointRef => ({
  ...{ pointId: address, address, scale: 1, kind: 'gauge' },
  ...over,
});

let scratch: string | undefined;

/** A folder of its own, gone with the process. */
export function scratchFolder(): string {
  if (scratch === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'parkline-mqtt-'));
    process.once('exit', () => {
      rmSync(made, { recursive: true, force: true });
    });
    scratch = made;
  }
  return mkdtempSync(join(scratch, 'broker-'));
}

/** A real broker with the real clock. */
export const connectionTo = (
  params: object,
  log: DriverLog = quietLog,
  dataDir = scratchFolder(),
): Connection => driver.openConnection({ timeoutMs: 10_000, ...params }, { now: Date.now, log, dataDir });

/** A station as an account of the broker. */
export const accountWith = (
  { username, passwordSha256 }: { readonly username: string; readonly passwordSha256: string },
  station: Station,
  perSecond = 100_000,
): Account => ({
  ...{ username, passwordSha256, throttle: createThrottle(perSecond, Date.now) },
  subjects: [createTopicSubject(rootOf(username), station, usualTime)],
});

/** An account of the user, where `stations` has one. The same at every call. */
export function accountsOf(
  stations: ReadonlyMap<string, Station>,
  paramsOf: (username: string) => { readonly username: string; readonly passwordSha256: string },
  perSecond?: number,
): Pick<BrokerDeps, 'accountOf' | 'subjectOf'> {
  const accounts = new Map(
    [...stations].map(([name, station]) => [name, accountWith(paramsOf(name), station, perSecond)]),
  );
  return {
    accountOf: (username) => accounts.get(username),
    subjectOf: (topic) =>
      [...accounts.values()].flatMap(({ subjects }) => subjects).find((one) => one.owns(topic)),
  };
}

/** A small generator with a seed (mulberry32), so that a failure can be had again. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
