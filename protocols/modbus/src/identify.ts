import type { Bus, Reply } from './bus.ts';
import { textOf } from './codec.ts';
import { readIdentification, reportServerId } from './requests.ts';

/** Objects of function 43 / 14, clause 6.21, in the words of the specification. */
const objects: Readonly<Record<number, string>> = {
  0: 'vendor',
  1: 'product',
  2: 'revision',
  3: 'url',
  4: 'productName',
  5: 'model',
  6: 'application',
};

/** More than any device's list in parts. */
const MOST_PARTS = 16;
const CONFORMITY_REGULAR = 2;
const MORE_FOLLOWS = 0xff;

/** What a unit tells about itself, by name; empty where it knows neither function. A unit that is silent to one is not asked on. */
export async function identify(
  bus: Pick<Bus, 'ask'>,
  unit: number,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const facts: Record<string, string> = {};
  const basic = await readObjects(bus, unit, 1, facts, signal);
  if (basic >= CONFORMITY_REGULAR) await readObjects(bus, unit, 2, facts, signal);
  if (Object.keys(facts).length > 0) return facts;
  const reply = await quietly(bus.ask(reportServerId(unit), signal, 'inquiry'), signal);
  if (reply?.kind === 'data' && reply.data.length > 0) facts['serverId'] = wordsOf(reply.data);
  return facts;
}

/** @returns the conformity level the unit tells, 0 when it does not know the function. */
async function readObjects(
  bus: Pick<Bus, 'ask'>,
  unit: number,
  level: 1 | 2,
  facts: Record<string, string>,
  signal: AbortSignal,
): Promise<number> {
  let from = level === 1 ? 0 : 3;
  for (let part = 0; part < MOST_PARTS; part += 1) {
    const reply = await quietly(bus.ask(readIdentification(unit, level, from), signal, 'inquiry'), signal);
    if (reply?.kind !== 'data') return 0;
    const [, , conformity, moreFollows, next] = reply.data;
    for (const [id, text] of objectsOf(reply.data)) facts[objects[id] ?? `object ${id}`] = text;
    // A unit that goes back would be asked for ever.
    if (moreFollows !== MORE_FOLLOWS || next! <= from) return conformity! & 0x7f;
    from = next!;
  }
  return 0;
}

/** @param data From the interface type on: type, level, conformity, more follows, next, number; then id, length, bytes of each. */
function* objectsOf(data: Uint8Array): Generator<[id: number, text: string]> {
  let at = 6;
  for (let left = data[5]!; left > 0; left -= 1) {
    const length = data[at + 1]!;
    const text = textOf(data.subarray(at + 2, at + 2 + length));
    if (text !== '') yield [data[at]!, text];
    at += 2 + length;
  }
}

/** A server id has no fixed form: its letters where it is mostly letters, else its bytes. */
function wordsOf(data: Uint8Array): string {
  const letters = Buffer.from(data)
    .toString('latin1')
    .replace(/[^\x20-\x7e]+/g, ' ')
    .trim();
  return letters.length * 2 > data.length ? letters : Buffer.from(data).toString('hex');
}

/** The reply, or nothing where the unit does not give one; an abort and a lost line go on up. */
async function quietly(asked: Promise<Reply>, signal: AbortSignal): Promise<Reply | undefined> {
  try {
    return await asked;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (signal.aborted || (code !== 'timeout' && code !== 'garbage')) throw error;
    return undefined;
  }
}
