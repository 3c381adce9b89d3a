import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Device } from '../device.ts';
import type { FaultKind, Faults } from '../faults.ts';
import type { Transport } from '../park.ts';
import type { RequestLog } from '../request-log.ts';
import { answer, askedBy, refuse } from './answer.ts';
import { createCutter, frameReply, type Request } from './frames.ts';
import { createListener, type Listener } from './listener.ts';

export interface ModbusServerDeps {
  readonly bus: string;
  readonly transport: Transport;
  readonly units: ReadonlyMap<number, Device>;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly now: () => number;
  /** Time a device takes to answer, ms. */
  readonly latencyMs?: number;
}

/** One line with its devices: requests of all connections are answered one after the other, as behind a real gateway. */
export function createModbusServer(deps: ModbusServerDeps): Listener {
  let line: Promise<void> | undefined;

  const inTurn = (job: () => Promise<void> | undefined): void => {
    const running = line ? line.then(job) : job();
    if (!running) return;
    const mine: Promise<void> = running.then(() => {
      if (line === mine) line = undefined;
    });
    line = mine;
  };

  return createListener((socket) => {
    socket.setNoDelay(true);
    const cutter = createCutter(deps.transport);
    socket.on('data', (bytes) => {
      const requests = cutter.push(bytes);
      if (requests === 'broken') return void socket.destroy();
      const t = deps.now();
      for (const request of requests) inTurn(() => serve(deps, socket, request, t));
    });
  });
}

/** @returns a promise only when the answer takes time, so that the usual case costs none. */
function serve(
  deps: ModbusServerDeps,
  socket: Socket,
  request: Request,
  t: number,
): Promise<void> | undefined {
  if (request.unit === 0) return undefined; // A broadcast: nobody answers.
  const asked = askedBy(request);
  const fault = deps.faults.strike({
    bus: deps.bus,
    unit: request.unit,
    addr: asked.addr,
    count: asked.count,
  });
  const { pdu, values, outcome } =
    fault?.kind === 'exception'
      ? refuse(asked.fc, fault.code)
      : answer(request, deps.units.get(request.unit), deps.transport, t);
  const isServed = !fault || fault.kind === 'exception';
  deps.log.write({
    t,
    bus: deps.bus,
    unit: request.unit,
    ...asked,
    values,
    outcome: isServed ? outcome : fault.kind,
  });

  const reply =
    pdu && frameReply(deps.transport, request, pdu, fault?.kind === 'wrong-unit' ? fault.unit : undefined);
  const waitMs = (deps.latencyMs ?? 0) + (fault?.kind === 'delay' ? fault.ms : 0);
  if (waitMs === 0) return void send(socket, reply, fault);
  return sleep(waitMs).then(() => send(socket, reply, fault));
}

function send(socket: Socket, reply: Buffer | undefined, fault: FaultKind | undefined): void {
  if (fault?.kind === 'close') return void socket.destroy();
  if (fault?.kind === 'silence' || !reply || socket.destroyed) return;
  if (fault?.kind === 'garbage')
    return void socket.write(fault.hex ? Buffer.from(fault.hex, 'hex') : randomBytes(16));
  if (fault?.kind === 'late') {
    setTimeout(() => socket.destroyed || socket.write(reply), fault.ms).unref();
    return;
  }
  socket.write(reply);
}
