import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import type { BusPlace } from '../ports.ts';

/** Longest wait for an answer; the simulator answers at once. */
const PATIENCE_MS = 5_000;

/** Nobody answers at the control port. */
export class ControlError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ControlError';
  }
}

/**
 * One command to a running simulator, over a connection of its own.
 * @returns its answer. @throws ControlError when there is none; Error with the simulator's own words when it refuses.
 */
export async function ask(place: BusPlace, command: object): Promise<Record<string, unknown>> {
  const socket = connect(place.port, place.host);
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const lines = createInterface({ input: socket });
  try {
    const answered = once(lines, 'line', { signal });
    answered.catch(() => undefined); // Told by the connection's error where there is one.
    await once(socket, 'connect', { signal });
    socket.write(`${JSON.stringify(command)}\n`);
    const [line] = (await answered) as [string];
    const answer = JSON.parse(line) as { ok: boolean; error?: string };
    if (!answer.ok) throw new Error(answer.error ?? 'the simulator refused without a word');
    return { ...answer };
  } catch (cause) {
    if (cause instanceof Error && !('code' in cause) && cause.name !== 'AbortError') throw cause;
    throw new ControlError(`the simulator does not answer at ${place.host}:${place.port}`, { cause });
  } finally {
    lines.close();
    socket.destroy();
  }
}
