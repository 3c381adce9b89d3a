import { DriverError } from '@parkline/kit';
import type { MeterLine, Told } from '@parkline/kit/meters';
import { type Answer, findAnswer, readQuestion } from './frame.ts';

/** The data of one item, whole, or why the meter does not give it. */
export type Reply = { readonly beganAt: number; readonly at: number } & (
  { readonly payload: Uint8Array } | { readonly refused: string }
);

export interface Meter {
  /** Rejects with DriverError 'timeout', 'lost', 'garbage' (parts without an end) or 'aborted'. */
  read(item: string, signal: AbortSignal): Promise<Reply>;
}

/**
 * Items that every meter has and nobody reads as a point: address, meter number, date, time (annex A, table A.5). They prove what
 * none of the items that this meter gave before can.
 */
const PROOFS = ['04000401', '04000402', '04000101', '04000102'];
/** An answer that is later than this will never come: no line holds bytes for so long. */
const LATEST_MS = 10_000;
/** Items remembered as given. */
const MOST_GIVEN = 8;
/** Parts of one item; an energy block over all settlement days and rates has fewer. */
const MOST_PARTS = 40;

/**
 * One meter. Telegrams carry no number: the answer to a question that timed out looks like that to the next one for the same item,
 * and a refusal does not even name its item. So after a time-out the meter must first answer a question that is not open yet; lines
 * keep the order of answers, so all older ones are then told or lost.
 */
export function createMeter(line: MeterLine, address: string, now: () => number): Meter {
  /** Items asked for whose answer may still come, and since when. */
  const open = new Map<string, number>();
  /** Items that it gave, the latest first. */
  let given: readonly string[] = [];

  async function ask(item: string, sequence: number, signal: AbortSignal): Promise<Told<Answer>> {
    let wasSent = false;
    const onSent = (): void => {
      wasSent = true;
    };
    const bytes = readQuestion(address, item, sequence);
    const find = (heard: Uint8Array): Answer | undefined => findAnswer(heard, address, item, sequence);
    try {
      return await line.ask({ meter: address, bytes, find, onSent }, signal);
    } catch (error) {
      if (wasSent) open.set(item, now()); // Also when the caller gave up: its answer is under way.
      throw error;
    }
  }

  async function prove(signal: AbortSignal): Promise<void> {
    for (const [item, since] of open) if (now() - since > LATEST_MS) open.delete(item);
    if (open.size === 0) return;
    const proof = [...given, ...PROOFS].find((item) => !open.has(item));
    const where = `meter ${address}`;
    if (!proof) throw new DriverError('timeout', 'answers late: waiting until no old answer is left', where);
    const { answer } = await ask(proof, 0, signal);
    if (answer.kind === 'refused') {
      open.set(proof, now()); // It may be the refusal of an older question.
      throw new DriverError('timeout', `did not prove itself after a time-out: ${answer.why}`, where);
    }
    open.clear();
  }

  return {
    async read(item, signal) {
      await prove(signal);
      const first = await ask(item, 0, signal);
      const times = { beganAt: first.beganAt, at: first.at };
      if (first.answer.kind === 'refused') return { ...times, refused: first.answer.why };
      given = [item, ...given.filter((other) => other !== item)].slice(0, MOST_GIVEN);
      const parts = [first.answer.payload];
      let { hasMore } = first.answer;
      for (let sequence = 1; hasMore; sequence += 1) {
        if (sequence > MOST_PARTS)
          throw new DriverError('garbage', `item ${item} never ends`, `meter ${address}`);
        const next = await ask(item, sequence, signal);
        if (next.answer.kind === 'refused') return { ...times, at: next.at, refused: next.answer.why };
        parts.push(next.answer.payload);
        ({ hasMore } = next.answer);
        times.at = next.at;
      }
      return { ...times, payload: Buffer.concat(parts) };
    },
  };
}
