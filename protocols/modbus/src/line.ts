import { type ByteLine, type Dial, DriverError } from '@parkline/kit';
import type { Framer, Parsed, ReadRequest } from './frame.ts';

/** One open link with its framer: carries one request at a time. */
export interface Line {
  /** Sends a request and waits for its answer. Rejects with DriverError 'timeout', 'lost' or 'garbage'. Never while another runs. */
  ask(request: ReadRequest, timeoutMs: number): Promise<Answer>;
  /** False once it must not carry another request: closed, or a late answer could be mistaken. */
  readonly isUsable: boolean;
  /** True once anything answered on it. */
  readonly hasAnswered: boolean;
  /** Ends the link and fails the open request with 'lost'. Safe twice. */
  close(why: string): void;
}

export type Answer = Extract<Parsed, { kind: 'data' | 'exception' }>;

/** Requests in a row without any answer after which an open link counts as dead. */
const MISSES_OF_A_DEAD_LINK = 2;

export async function openLine(
  dial: Dial,
  framer: Framer,
  where: string,
  signal: AbortSignal,
): Promise<Line> {
  let open: { finish(outcome: Answer | DriverError): void } | undefined;
  let link: ByteLine | undefined;
  let misses = 0;
  let hasAnswered = false;

  function close(why: string, code: 'lost' | 'garbage' = 'lost'): void {
    void link?.destroy();
    link = undefined;
    open?.finish(new DriverError(code, why, where));
  }

  function onData(bytes: Uint8Array): void {
    const parsed = framer.push(bytes);
    if (parsed.kind === 'more') return;
    misses = 0;
    if (parsed.kind === 'broken') close(parsed.why, 'garbage');
    else {
      hasAnswered = true;
      open?.finish(parsed);
    }
  }

  function giveUp(timeoutMs: number): void {
    framer.giveUp();
    misses += 1;
    open?.finish(new DriverError('timeout', `no answer in ${timeoutMs} ms`, where));
    if (framer.isWornOut || misses >= MISSES_OF_A_DEAD_LINK) close('closed after a time-out');
  }

  link = await dial({ onData, onClose: (why) => close(why) }, signal);

  return {
    ask(request, timeoutMs) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => giveUp(timeoutMs), timeoutMs);
        open = {
          finish(outcome) {
            open = undefined;
            clearTimeout(timer);
            if (outcome instanceof DriverError) reject(outcome);
            else resolve(outcome);
          },
        };
        if (link) link.write(framer.encode(request));
        else open.finish(new DriverError('lost', 'the link is closed', where));
      });
    },
    get isUsable() {
      return link !== undefined && !framer.isWornOut;
    },
    get hasAnswered() {
      return hasAnswered;
    },
    close: (why) => close(why),
  };
}
