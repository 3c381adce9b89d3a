import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultKind, Faults } from '../faults.ts';
import type { RequestLog } from '../request-log.ts';
import type { BusServer } from './bus-server.ts';
import { createListener } from './listener.ts';

/** What a meter makes of a telegram. */
export interface Served {
  /** Key of the meter in the park. */
  readonly device: string;
  /** The one quantity that was asked for; absent when it were several or none. */
  readonly quantity?: string;
  readonly values: Readonly<Record<string, number | null>>;
  /** 'ok', or the word of the protocol for a refusal. */
  readonly outcome: string;
  readonly reply: Buffer;
  /** The same, should it have to refuse. */
  readonly refusal: Buffer;
  /** The same in the name of another meter, by its number. */
  readonly disguised: (number: number) => Buffer;
}

export interface TelegramLineDeps {
  readonly bus: string;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly now: () => number;
  readonly latencyMs?: number;
  /** The first telegram in `heard` and what follows it; undefined until there is one. What can be none is left out of `rest`. */
  readonly cut: (heard: Buffer) => { readonly telegram?: Buffer; readonly rest: Buffer };
  /** undefined: nobody on this line is meant. */
  readonly serve: (telegram: Buffer, t: number) => Served | undefined;
}

/** A line of meters behind a serial server: they answer one after the other, whoever is connected. */
export function createTelegramLine(deps: TelegramLineDeps): BusServer {
  let line: Promise<void> = Promise.resolve();
  const listener = createListener((socket) => {
    socket.setNoDelay(true);
    let heard: Buffer = Buffer.alloc(0);
    socket.on('data', (bytes) => {
      heard = Buffer.concat([heard, bytes]);
      for (;;) {
        const { telegram, rest } = deps.cut(heard);
        heard = rest;
        if (!telegram) return;
        const t = deps.now();
        line = line.then(() => answer(deps, socket, telegram, t));
      }
    });
  });
  return {
    listen: async ({ host, port }) => ({ host, port: await listener.listen(host, port) }),
    close: () => listener.close(),
  };
}

async function answer(deps: TelegramLineDeps, socket: Socket, telegram: Buffer, t: number): Promise<void> {
  const served = deps.serve(telegram, t);
  if (!served) return;
  const { device, quantity, values } = served;
  const fault = deps.faults.strike({
    ...{ bus: deps.bus, device },
    ...(quantity !== undefined && { quantity }),
  });
  deps.log.write({ t, bus: deps.bus, device, op: 'read', values, outcome: fault?.kind ?? served.outcome });
  const waitMs = (deps.latencyMs ?? 0) + (fault?.kind === 'delay' ? fault.ms : 0);
  if (waitMs > 0) await sleep(waitMs);
  send(socket, served, fault);
}

function send(socket: Socket, served: Served, fault: FaultKind | undefined): void {
  if (fault?.kind === 'close') return void socket.destroy();
  if (fault?.kind === 'silence' || socket.destroyed) return;
  if (fault?.kind === 'garbage')
    return void socket.write(fault.hex ? Buffer.from(fault.hex, 'hex') : randomBytes(16));
  if (fault?.kind === 'late') {
    setTimeout(() => socket.destroyed || socket.write(served.reply), fault.ms).unref();
    return;
  }
  if (fault?.kind === 'refuse' || fault?.kind === 'exception') return void socket.write(served.refusal);
  socket.write(fault?.kind === 'wrong-unit' ? served.disguised(fault.unit) : served.reply);
}
