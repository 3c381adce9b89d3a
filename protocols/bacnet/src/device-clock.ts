import { DEVICE, properties } from './address.ts';
import { keyOf, type PropertyReader, valuesFrom } from './reader.ts';
import { tags } from './tags.ts';
import { type LocalMs, localMsOf } from './time.ts';

/** What a device's clock shows, and when that is. */
export interface DeviceClock {
  /** @param notBefore Unix ms: of an hour that comes twice the later one, where the earlier was over then. */
  toUtc(local: LocalMs, notBefore?: number): number;
  /** The earlier one where a zone's clock shows an hour twice. */
  toLocal(utc: number): LocalMs;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Zones differ by quarter hours; what is left over is a clock that is wrong. */
const QUARTER_MS = 15 * MINUTE_MS;

export interface DeviceClockDeps {
  readonly reader: PropertyReader;
  /** Of the device. */
  readonly instance: number;
  readonly now: () => number;
  /** Where it is configured. */
  readonly timeZone: string | undefined;
}

/**
 * The zone of a device's clock: the configured one; else the device's utc-offset and daylight-savings-status; else the whole quarter
 * hours between its local time and ours; else the gateway's own zone. Only the first and the last know when summer time began.
 */
export async function readDeviceClock(deps: DeviceClockDeps, signal: AbortSignal): Promise<DeviceClock> {
  const { reader, instance, now, timeZone } = deps;
  if (timeZone !== undefined) return zoneClock(timeZone);
  const device = { type: DEVICE, instance };
  const ids = ['utc-offset', 'daylight-savings-status', 'local-date', 'local-time'] as const;
  const asked = ids.map((name) => ({ id: properties[name] }));
  const outcomes = await reader.read([{ ...device, properties: asked }], signal);
  const at = now();
  const [offset, daylight, date, time] = asked.map((property) => {
    const [value] = outcomes.has(keyOf(device, property))
      ? (valuesFrom(outcomes, device, property) ?? [])
      : [];
    return value;
  });
  if (offset?.type === tags.signed) {
    const summerMs = daylight?.value === true ? HOUR_MS : 0;
    return fixedClock(summerMs - Number(offset.value) * MINUTE_MS); // West of Greenwich counts positive, clause 12.11.
  }
  const local =
    date?.type === tags.date && time?.type === tags.time
      ? localMsOf(date.value as Buffer, time.value as Buffer)
      : undefined;
  if (local !== undefined) return fixedClock(Math.round((local - at) / QUARTER_MS) * QUARTER_MS);
  return zoneClock(Intl.DateTimeFormat().resolvedOptions().timeZone);
}

/** @param aheadMs Of UTC. */
export const fixedClock = (aheadMs: number): DeviceClock => ({
  toUtc: (local) => local - aheadMs,
  toLocal: (utc) => utc + aheadMs,
});

/** @param timeZone IANA name. */
export function zoneClock(timeZone: string): DeviceClock {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    ...{ year: 'numeric', month: 'numeric', day: 'numeric' },
    ...{ hour: 'numeric', minute: 'numeric', second: 'numeric', hourCycle: 'h23' },
  });
  const toLocal = (utc: number): number => {
    const parts = new Map(format.formatToParts(utc).map(({ type, value }) => [type, Number(value)]));
    const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
    const day = Date.UTC(part('year'), part('month') - 1, part('day'));
    const inDay = ((part('hour') * 60 + part('minute')) * 60 + part('second')) * 1_000;
    return day + inDay + (((utc % 1_000) + 1_000) % 1_000);
  };
  const aheadAt = (utc: number): number => toLocal(utc) - utc;
  return {
    toLocal,
    toUtc(local, notBefore = -Infinity) {
      // The offset before a change of the clocks gives the earlier reading of an hour that comes twice.
      const earlier = local - aheadAt(local - 12 * HOUR_MS);
      const later = local - aheadAt(local + 12 * HOUR_MS);
      if (toLocal(earlier) !== local) return later;
      return earlier < notBefore && toLocal(later) === local ? later : earlier;
    },
  };
}
