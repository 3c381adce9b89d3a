import { DriverError, type FoundDevice, type SearchRange } from '@parkline/kit';
import { type MeterLine, type Question } from '@parkline/kit/meters';
import { addressQuestion, ANYONE, findAddress, findAnswer, readQuestion } from './frame.ts';

/** Addresses of a range at most: each that is nobody's costs one time-out. */
const MOST_ADDRESSES = 1_000;
/** What every meter has: its own address (annex A, table A.5). */
const OWN_ADDRESS = '04000401';

/**
 * Asks whoever is alone on the line for its address; with a range, each address in it in turn instead.
 * @throws DriverError 'config' for a range that is too long.
 */
export async function* discover(
  line: MeterLine,
  { from, to = from }: SearchRange,
  signal: AbortSignal,
): AsyncGenerator<FoundDevice> {
  if (from === undefined || to === undefined) {
    const question = { bytes: addressQuestion(), find: findAddress };
    const address = await answered(line, { ...question, meter: ANYONE, isSearch: true }, signal);
    if (address) yield deviceOf(address);
    return;
  }
  if (to - from >= MOST_ADDRESSES)
    throw new DriverError('config', `search at most ${MOST_ADDRESSES} addresses at once`, 'dlt645 search');
  for (let number = from; number <= to; number += 1) {
    const meter = String(number).padStart(12, '0');
    const question: Question<true> = {
      ...{ meter, isSearch: true, bytes: readQuestion(meter, OWN_ADDRESS) },
      find: (bytes) => (findAnswer(bytes, meter, OWN_ADDRESS) ? true : undefined),
    };
    if (await answered(line, question, signal)) yield deviceOf(meter);
  }
}

const deviceOf = (address: string): FoundDevice => ({
  params: { address },
  label: `meter ${address}`,
  facts: { address },
});

/** The answer, or undefined when nobody gave one in time. */
async function answered<Answer>(
  line: MeterLine,
  question: Question<Answer>,
  signal: AbortSignal,
): Promise<Answer | undefined> {
  try {
    return (await line.ask(question, signal)).answer;
  } catch (error) {
    if (error instanceof DriverError && error.code === 'timeout') return undefined;
    throw error;
  }
}
