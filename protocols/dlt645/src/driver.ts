import { type Driver, DriverError, engineering, type Found, type PointRef, type Sample } from '@parkline/kit';
import { badSample, type MeterLine, sampleOf } from '@parkline/kit/meters';
import { type Address, decodeItem, parseAddress } from './address.ts';
import { itemOf, usualItems } from './items.ts';
import { createMeter, type Reply } from './meter.ts';

export interface Dlt645DriverDeps {
  readonly line: MeterLine;
  /** 12 digits. */
  readonly address: string;
  readonly now: () => number;
}

/** One meter on a line it shares with others. Reading only: see README for why nothing is ever written. */
export function createDlt645Driver({ line, address, now }: Dlt645DriverDeps): Driver {
  const meter = createMeter(line, address, () => performance.now()); // A clock that is set makes no answer old.
  const known = new Map<string, Address | DriverError>();
  let isClosed = false;

  function addressOf(text: string): Address | DriverError {
    const found = known.get(text) ?? tryParse(text);
    known.set(text, found);
    return found;
  }

  return {
    async connect(signal) {
      isClosed = false;
      await line.open(signal);
    },
    async *browse(signal) {
      for (const item of usualItems) {
        const found = foundOf(item, await meter.read(item, signal));
        if (found) yield found;
      }
    },
    async read(refs, signal) {
      if (isClosed) throw new DriverError('lost', 'the device was closed', `meter ${address}`);
      if (signal.aborted) throw new DriverError('aborted', 'given up', `meter ${address}`);
      const replies = new Map<string, Reply>(); // Several numbers of one data block cost one question.
      const samples: Sample[] = [];
      for (const ref of refs) {
        const at = addressOf(ref.address);
        if (at instanceof DriverError) {
          samples.push(badSample(ref, at.message, { at: now(), beganAt: now() }));
          continue;
        }
        const reply = replies.get(at.item) ?? (await meter.read(at.item, signal));
        replies.set(at.item, reply);
        samples.push(told(ref, at, reply));
      }
      return samples;
    },
    close() {
      isClosed = true;
      line.drop(address);
      return Promise.resolve();
    },
  };
}

/** A wrong address concerns its point alone; it comes back bad with the reason, and its neighbours are read. */
function tryParse(text: string): Address | DriverError {
  try {
    return parseAddress(text);
  } catch (error) {
    if (error instanceof DriverError) return error;
    throw error;
  }
}

const told = (ref: PointRef, at: Address, reply: Reply): Sample =>
  'refused' in reply
    ? badSample(ref, reply.refused, reply)
    : sampleOf(ref, decodeItem(reply.payload, at), reply);

/** What a meter's answer is worth to a person who looks for points; undefined when it has no such item. */
function foundOf(item: string, reply: Reply): Found | undefined {
  const known = itemOf(item);
  if ('refused' in reply || !known) return undefined;
  const address = known.format === 'bits' ? `${item}:bit0` : item;
  const raw = decodeItem(reply.payload, parseAddress(address));
  const value = raw.ok ? String(engineering(raw.value, { scale: 1 })) : raw.why;
  return { address, label: known.name, writable: false, facts: { value, unit: known.unit } };
}
