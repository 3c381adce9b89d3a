import { DriverError } from '../errors.ts';
import type { ByteLine, Dial } from '../line/byte-line.ts';
import { startDeadline } from '../line/deadline.ts';

/** One question to one meter, and how its answer is told from everything else that may be on the line. */
export interface Question<Answer> {
  /** Whom it is for: back-off and turns are the meter's. */
  readonly meter: string;
  readonly bytes: Uint8Array;
  /** A search: that nobody answers is held against no one. */
  readonly isSearch?: true;
  /** The answer, once all that came since the question holds it. What belongs to others is passed over. */
  find(bytes: Uint8Array): Answer | undefined;
  /** Called when it goes out. A question that was refused before that left no answer under way. */
  onSent?(): void;
}

/** One open link that carries one question at a time. */
export interface Wire {
  /** Rejects with DriverError 'timeout' or 'lost'. Never while another runs. */
  ask<Answer>(question: Question<Answer>, timeoutMs: number): Promise<Answer>;
  /** Resolves once nothing came for `quietMs`, at the latest after ten times that; what came is thrown away. */
  drain(quietMs: number): Promise<void>;
  readonly isOpen: boolean;
  /** Ends the link and fails the open question with 'lost'. Resolves when it can be opened again. Safe twice. */
  close(why: string): Promise<void>;
}

/** The longest telegram of either standard is under 300 bytes; the rest is noise of a line that never rests. */
const MOST_BYTES = 2_048;

interface Listener {
  hear(bytes: Uint8Array): void;
  fail(error: DriverError): void;
}

/** Opens the link. Rejects as {@link Dial} does. */
export async function openWire(dial: Dial, where: string, signal: AbortSignal): Promise<Wire> {
  let listener: Listener | undefined;
  let link: ByteLine | undefined;

  async function close(why: string): Promise<void> {
    const ending = link?.destroy();
    link = undefined;
    listener?.fail(new DriverError('lost', why, where));
    await ending;
  }

  const onClose = (why: string): void => void close(why);
  link = await dial({ onData: (bytes) => listener?.hear(bytes), onClose }, signal);

  function ask<Answer>(question: Question<Answer>, timeoutMs: number): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let heard: Uint8Array = new Uint8Array(0);
      const end = (settle: () => void): void => {
        listener = undefined;
        stop();
        settle();
      };
      const fail = (error: DriverError): void => end(() => reject(error));
      const stop = startDeadline(timeoutMs, () => fail(timeout(timeoutMs, heard.length, where)));
      listener = {
        fail,
        hear(bytes) {
          heard = Buffer.concat([heard, bytes]).subarray(-MOST_BYTES);
          const answer = question.find(heard);
          if (answer !== undefined) end(() => resolve(answer));
        },
      };
      if (link) {
        question.onSent?.();
        link.write(question.bytes);
      } else fail(new DriverError('lost', 'the line is closed', where));
    });
  }

  async function drain(quietMs: number): Promise<void> {
    await link?.flush();
    await new Promise<void>((resolve) => {
      const end = (): void => {
        listener = undefined;
        clearTimeout(quiet);
        clearTimeout(last);
        resolve();
      };
      const quiet = setTimeout(end, quietMs);
      const last = setTimeout(end, 10 * quietMs);
      listener = { hear: () => void quiet.refresh(), fail: end };
    });
  }

  return {
    ask,
    drain,
    get isOpen() {
      return link !== undefined;
    },
    close,
  };
}

function timeout(timeoutMs: number, heard: number, where: string): DriverError {
  const noise = heard === 0 ? '' : `, only ${heard} bytes that are none`;
  return new DriverError('timeout', `no answer in ${timeoutMs} ms${noise}`, where);
}
