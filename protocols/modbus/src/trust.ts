import { DriverError } from '@parkline/kit';
import type { Answer } from './line.ts';
import { echoRequest, type Request } from './requests.ts';

/**
 * Whether an answer on a serial line can be believed to be the answer to the request before it. Answers there carry no number, and
 * closing the port does not stop a unit that is still going to speak: after a time-out its next answer may be to any request so far.
 */
export interface Trust {
  /** A request to the unit went unanswered, or was answered with a bent frame. */
  lose(unit: number): void;
  /**
   * Resolves when the unit's next answer can only be to the next request. Where it is in doubt the unit is asked to say a number
   * again (function 8): units answer in order, so the right number, and even the refusal of it, proves that all earlier
   * answers have come or never will. @throws DriverError 'timeout' while nothing proves it.
   */
  assure(unit: number, ask: (request: Request) => Promise<Answer>): Promise<void>;
}

interface Doubt {
  /** ms, the last request that went unanswered, other than the question for a number. */
  since: number;
  /** When the unit was asked for a number and did not answer (yet), oldest first. */
  readonly asked: number[];
  isOpen: boolean;
}

/** A refusal cannot come this long after its question. */
const OLDEST_QUESTION_MS = 60_000;

/**
 * @param forgetMs A unit that says nothing to the question is believed again after this: it does not answer that late.
 * @param now ms, on a clock that is never set.
 */
export function createTrust(forgetMs: number, now: () => number, random: () => number): Trust {
  const doubts = new Map<number, Doubt>();

  const late = (unit: number, why: string): DriverError =>
    new DriverError('timeout', `${why}: an answer could be to an earlier request`, `unit ${unit}`);

  async function question(
    unit: number,
    doubt: Doubt,
    ask: (request: Request) => Promise<Answer>,
  ): Promise<void> {
    while (doubt.asked.length > 0 && now() - doubt.asked[0]! > OLDEST_QUESTION_MS) doubt.asked.shift();
    doubt.asked.push(now());
    const answer = await ask(echoRequest(unit, Math.floor(random() * 0x1_0000)));
    if (answer.kind === 'data') doubt.asked.length = 0;
    else if (doubt.asked.shift()! < doubt.since) throw late(unit, 'it refused an older question');
    doubt.isOpen = false;
  }

  return {
    lose(unit) {
      const doubt = doubts.get(unit) ?? { since: 0, asked: [], isOpen: false };
      doubts.set(unit, doubt);
      doubt.since = now();
      doubt.isOpen = true;
    },
    async assure(unit, ask) {
      const doubt = doubts.get(unit);
      if (!doubt?.isOpen) return;
      try {
        await question(unit, doubt, ask);
      } catch (error) {
        const isSilent = error instanceof DriverError && error.code === 'timeout';
        if (!isSilent || Math.abs(now() - doubt.since) < forgetMs) throw error;
        doubt.isOpen = false;
      }
    },
  };
}
