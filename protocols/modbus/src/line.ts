import { type ByteLine, type Dial, DriverError } from '@parkline/kit';
import type { Parsed } from './answer.ts';
import type { Framer } from './frame.ts';
import type { Request } from './requests.ts';

/** How requests follow each other on a line. */
export interface LinePace {
  /** Silence before a request, ms. */
  readonly gapMs: number;
  /** Time one byte takes, ms; 0 where that is no part of the waiting. */
  readonly byteMs: number;
  /** A serial line: it is not closed and opened anew when an answer is missing or bent, for that would change nothing. */
  readonly isSerial: boolean;
  /** Answers carry the number of their request. */
  readonly isNumbered: boolean;
}

/** One open line with its framer: carries one request at a time. */
export interface Line {
  /** What to wait for before the next request; undefined when it may go out now. */
  ready(): Promise<void> | undefined;
  /** Sends a request and waits for its answer. Rejects with DriverError 'timeout', 'lost' or 'garbage'. Never while another runs. */
  ask(request: Request, patience: Patience): Promise<Answer>;
  /** False once it must not carry another request: closed, or a late answer could be mistaken. */
  readonly isUsable: boolean;
  /** True once anything answered on it. */
  readonly hasAnswered: boolean;
  /** Ends the line and fails the open request with 'lost'. Resolves when it can be opened again. Safe twice. */
  close(why: string): Promise<void>;
}

export interface Patience {
  readonly timeoutMs: number;
  /** Nobody may be there, or know it: silence says nothing about the line. */
  readonly isInquiry?: boolean;
}

export type Answer = Extract<Parsed, { kind: 'data' | 'exception' }>;

/** Requests in a row without any answer after which an open connection counts as dead. */
const MISSES_OF_A_DEAD_LINE = 2;
/** Silence on a serial line, ms, after which what was late or bent is taken to be over. */
const SETTLED_MS = 20;
/** Longest answer on a line, bytes. */
const LONGEST_ANSWER = 256;

/** The request in flight. */
interface Open {
  readonly request: Request;
  readonly timeoutMs: number;
  finish(outcome: Answer | DriverError): void;
}

export interface LineDeps {
  readonly dial: Dial;
  readonly framer: Framer;
  readonly pace: LinePace;
  /** Names the line in errors. */
  readonly where: string;
}

/** @returns the line, open. Rejects like `dial`. */
export async function openLine({ dial, framer, pace, where }: LineDeps, signal: AbortSignal): Promise<Line> {
  const deadline = createDeadline(() => giveUp());
  let open: Open | undefined;
  let link: ByteLine | undefined;
  let closing = Promise.resolve();
  let misses = 0;
  let hasAnswered = false;
  let isTroubled = false;
  let lastByteAt = 0; // performance.now(), of either direction.

  const failure = (code: 'timeout' | 'lost' | 'garbage', why: string): DriverError =>
    new DriverError(code, why, open ? `${where} unit ${open.request.unit}` : where);

  function close(why: string, code: 'lost' | 'garbage' = 'lost'): Promise<void> {
    if (link) closing = link.destroy();
    link = undefined;
    deadline.clear();
    open?.finish(failure(code, why));
    return closing;
  }

  function onData(bytes: Uint8Array): void {
    if (pace.gapMs > 0) lastByteAt = performance.now();
    const parsed = framer.push(bytes);
    if (parsed.kind === 'more') return;
    misses = 0;
    if (parsed.kind !== 'broken') {
      hasAnswered = true;
      open?.finish(parsed);
    } else if (pace.isSerial) {
      isTroubled = true;
      open?.finish(failure('garbage', parsed.why));
    } else void close(parsed.why, 'garbage');
  }

  function giveUp(): void {
    if (!open) return;
    framer.giveUp();
    isTroubled = true;
    open.finish(failure('timeout', `no answer in ${open.timeoutMs} ms`));
    const isDead = !pace.isSerial && misses >= MISSES_OF_A_DEAD_LINE;
    if (framer.isWornOut || isDead) void close('closed after a time-out');
  }

  /** Silence between frames; after trouble longer, with what had come thrown away. A line that never falls silent is asked all the same. */
  async function settle(): Promise<void> {
    const quietMs = isTroubled && pace.isSerial ? Math.max(pace.gapMs, SETTLED_MS) : pace.gapMs;
    const until = performance.now() + LONGEST_ANSWER * pace.byteMs + quietMs;
    for (;;) {
      const restMs = Math.min(lastByteAt + quietMs, until) - performance.now();
      if (restMs <= 0) break;
      await new Promise((resolve) => setTimeout(resolve, Math.ceil(restMs)));
    }
    if (isTroubled && pace.isSerial) await link?.flush();
    isTroubled = false;
  }

  link = await dial({ onData, onClose: (why) => void close(why) }, signal);

  return {
    ready() {
      if (pace.gapMs === 0) return undefined;
      return isTroubled || performance.now() - lastByteAt < pace.gapMs ? settle() : undefined;
    },
    ask(request, { timeoutMs, isInquiry = false }) {
      return new Promise((resolve, reject) => {
        open = {
          request,
          timeoutMs,
          finish(outcome) {
            open = undefined;
            deadline.stop();
            if (outcome instanceof DriverError) reject(outcome);
            else resolve(outcome);
          },
        };
        if (!link) return open.finish(failure('lost', 'the line is closed'));
        const bytes = framer.encode(request);
        deadline.start(timeoutMs + pace.byteMs * (bytes.length + answerBytes(request)));
        if (!isInquiry) misses += 1; // Until something comes.
        link.write(bytes);
        if (pace.gapMs > 0) lastByteAt = performance.now() + pace.byteMs * bytes.length;
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

/** Unit, function, byte count and check sum besides what the answer carries. */
const answerBytes = ({ answer }: Request): number =>
  'bytes' in answer
    ? 5 + (typeof answer.bytes === 'number' ? answer.bytes : answer.bytes.length)
    : LONGEST_ANSWER;

/** One timer for all requests of a line: starting and stopping it costs a number, not a timer. */
interface Deadline {
  start(ms: number): void;
  stop(): void;
  clear(): void;
}

function createDeadline(onPassed: () => void): Deadline {
  let timer: NodeJS.Timeout | undefined;
  let ringsAt = 0;
  let endsAt: number | undefined;

  function arm(now: number, at: number): void {
    clearTimeout(timer);
    ringsAt = at;
    timer = setTimeout(ring, Math.ceil(at - now));
  }
  function ring(): void {
    timer = undefined;
    if (endsAt === undefined) return;
    const now = performance.now();
    if (now < endsAt) return arm(now, endsAt);
    const due = endsAt;
    // A busy process comes to its timers first: an answer that waits to be read is heard before it is called late.
    setImmediate(() => {
      if (endsAt !== due) return;
      endsAt = undefined;
      onPassed();
    });
  }
  return {
    start(ms) {
      const now = performance.now();
      endsAt = now + ms;
      if (!timer || ringsAt > endsAt) arm(now, endsAt);
    },
    stop() {
      endsAt = undefined;
    },
    clear() {
      endsAt = undefined;
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
