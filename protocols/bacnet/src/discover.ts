import { setTimeout as sleep } from 'node:timers/promises';
import { DriverError, type FoundDevice, type SearchRange } from '@parkline/kit';
import { DEVICE, MAX_INSTANCE, properties } from './address.ts';
import { type IAm, nameOf } from './datagram.ts';
import type { Link } from './link.ts';
import type { Mux } from './mux.ts';
import { textOf } from './objects.ts';
import { createSlots } from './queue.ts';
import { createPropertyReader, valuesFrom } from './reader.ts';

export interface DiscoverDeps {
  readonly mux: Mux;
  readonly timeoutMs: number;
  /** The way to a device; `end` lets go of one that is there for the search only. */
  readonly borrow: (instance: number) => { readonly link: Link; end(): void };
}

/** Where windows of instances end, so that not everybody answers at once: sites number from below. */
const EDGES = [1_000, 10_000, 100_000, 1_000_000, MAX_INSTANCE + 1] as const;
/** Devices that are asked what they are at once, and the most in one search: more are somebody who makes them up. */
const AT_ONCE = 32;
const MOST_DEVICES = 10_000;
const asked = ['object-name', 'vendor-name', 'model-name', 'firmware-revision', 'location'] as const;

/** Asks who is there, window by window and twice each, and each that answers what it is. Rejects with DriverError. */
export async function* discover(
  deps: DiscoverDeps,
  { from = 0, to = MAX_INSTANCE }: SearchRange,
  signal: AbortSignal,
): AsyncGenerator<FoundDevice> {
  const { mux } = deps;
  await mux.open();
  const seen = new Set<number>();
  const found: FoundDevice[] = [];
  let underWay = 0;
  let isFlooded = false;
  const slots = createSlots(AT_ONCE);
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  let isOver = false;
  let wake = (): void => undefined;
  const note = (iAm: IAm): void => {
    if (seen.has(iAm.instance) || iAm.instance < from || iAm.instance > to) return;
    if (seen.size >= MOST_DEVICES) {
      isFlooded = true;
      wake();
      return;
    }
    seen.add(iAm.instance);
    underWay += 1;
    void slots
      .use(() => describe(deps, iAm, both))
      .then((device) => {
        found.push(device);
        underWay -= 1;
        wake();
      });
  };
  const end = mux.onIAm(note);
  const calling = callAll(deps, from, to, both).finally(() => {
    isOver = true;
    wake();
  });
  try {
    while (!signal.aborted) {
      const device = found.shift();
      if (device) yield device;
      else if (isFlooded) throw flooded(mux.where);
      else if (isOver && underWay === 0) break;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
    if (signal.aborted) throw new DriverError('aborted', 'given up', mux.where);
    if (seen.size === 0 && mux.trouble) throw new DriverError('lost', mux.trouble, mux.where);
  } finally {
    stop.abort();
    end();
    await calling;
  }
}

const flooded = (where: string): DriverError =>
  new DriverError(
    'garbage',
    `more than ${MOST_DEVICES} device instances answer: search a narrower range, and look for who makes them up`,
    where,
  );

async function callAll(
  { mux, timeoutMs }: DiscoverDeps,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<void> {
  const pause = () => sleep(timeoutMs / 2, undefined, { signal }).catch(() => undefined);
  let low = from;
  for (const edge of EDGES) {
    const high = Math.min(to, edge - 1);
    if (high < low) continue;
    for (let round = 0; round < 2 && !signal.aborted; round += 1) {
      mux.whoIs(low, high, round > 0);
      await pause();
    }
    low = high + 1;
  }
}

/** What a device says of itself; one that answers Who-Is and nothing else is told of all the same. */
async function describe(
  { borrow }: DiscoverDeps,
  { instance, place, maxApdu, vendorId }: IAm,
  signal: AbortSignal,
): Promise<FoundDevice> {
  const device = { type: DEVICE, instance };
  const { link, end } = borrow(instance);
  const base = {
    address: nameOf(place),
    'max APDU': `${maxApdu} octets`,
    ...(vendorId === undefined ? {} : { 'vendor id': String(vendorId) }),
  };
  const params = { device: instance };
  try {
    const wanted = { ...device, properties: asked.map((name) => ({ id: properties[name] })) };
    const outcomes = await createPropertyReader(link, instance).read([wanted], signal);
    const text = (name: (typeof asked)[number]) =>
      textOf(valuesFrom(outcomes, device, { id: properties[name] })?.[0]);
    const entries = [
      ['vendor', text('vendor-name')],
      ['model', text('model-name')],
      ['firmware', text('firmware-revision')],
      ['location', text('location')],
    ].filter(([, value]) => value !== '');
    const facts = { ...(Object.fromEntries(entries) as Record<string, string>), ...base };
    return { params, label: text('object-name') || `device ${instance}`, facts };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { params, label: `device ${instance}`, facts: { ...base, trouble: why } };
  } finally {
    end();
  }
}
