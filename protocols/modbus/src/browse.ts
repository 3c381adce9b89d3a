import { DriverError, type Found, type FoundDevice, type SearchRange } from '@parkline/kit';
import { type Order, parseAddress } from './address.ts';
import type { Bus } from './bus.ts';
import { textOf, reordered } from './codec.ts';
import { refusalOf } from './exceptions.ts';
import { identify } from './identify.ts';
import { readOf } from './requests.ts';

interface BrowseDeps {
  readonly bus: Pick<Bus, 'ask'>;
  readonly unit: number;
  readonly texts: Readonly<Record<string, string>>;
  readonly order: Order;
}

/** Modbus cannot be asked what points there are: what the device says it is, and the texts its configuration names. */
export async function* browseUnit(
  { bus, unit, texts, order }: BrowseDeps,
  signal: AbortSignal,
): AsyncGenerator<Found> {
  for (const [name, value] of Object.entries(await identify(bus, unit, signal)))
    yield { address: `id:${name}`, label: name, writable: false, facts: { value } };
  for (const [name, text] of Object.entries(texts)) {
    const { fc, start, count, order: letters } = parseAddress(text, order);
    const reply = await bus.ask(readOf({ unit, fc, start, count }), signal);
    const isSwapped = letters === 'BADC' || letters === 'DCBA';
    const value =
      reply.kind === 'data'
        ? textOf(isSwapped ? reordered(reply.data, 'BADC') : reply.data)
        : refusalOf(reply.code);
    yield { address: text, label: name, writable: false, facts: { value } };
  }
}

/** Units of the specification; 248 to 255 are reserved. */
const RANGE = { from: 1, to: 247 };

/** Units that answer anything at all, each with what it says it is, as they are found. */
export async function* searchUnits(
  bus: Bus,
  { from = RANGE.from, to = RANGE.to }: SearchRange,
  signal: AbortSignal,
): AsyncGenerator<FoundDevice> {
  for (let unit = Math.max(1, from); unit <= Math.min(255, to); unit += 1) {
    if (!(await isThere(bus, unit, signal))) continue;
    const facts = await identify(bus, unit, signal);
    const names = [facts['vendor'], facts['productName'] ?? facts['product'], facts['serverId']];
    const label = names.filter((name) => name !== undefined).join(' ');
    yield { params: { unit }, label: label === '' ? `unit ${unit}` : label, facts };
  }
}

async function isThere(bus: Bus, unit: number, signal: AbortSignal): Promise<boolean> {
  try {
    await bus.ask(readOf({ unit, fc: 3, start: 0, count: 1 }), signal, 'search'); // A refusal is an answer.
    return true;
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    if (error.code === 'lost')
      await bus.open(signal); // Some hang up where others keep silent; one that is gone ends the search.
    else if (error.code !== 'timeout' && error.code !== 'garbage') throw error;
    return false;
  }
}
