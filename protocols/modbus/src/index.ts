import { setTimeout as sleep } from 'node:timers/promises';
import {
  characterMs,
  type Connection,
  createSerialDial,
  createTcpDial,
  type Dial,
  DriverError,
  type DriverDeps,
  type DriverModule,
  serialName,
} from '@parkline/kit';
import { parseAddress } from './address.ts';
import { searchUnits } from './browse.ts';
import { createBus } from './bus.ts';
import { createModbusDriver } from './driver.ts';
import {
  createMbapFramer,
  createRtuFramer,
  createSerialFramer,
  createTransactions,
  type Framer,
} from './frame.ts';
import type { LinePace } from './line.ts';
import { type ConnectionParams, parseConnectionParams, parseDeviceParams } from './params.ts';

/** Modbus TCP, RTU over TCP and RTU on a serial line. */
export const driver: DriverModule = { protocol: 'modbus', openConnection };

function openConnection(given: unknown, { now, log }: DriverDeps): Connection {
  const params = parseConnectionParams(given);
  const { where, ...way } = wayOf(params);
  const bus = createBus({ ...way, where, timeoutMs: params.timeoutMs, now, random: Math.random, log });
  return {
    device(deviceParams) {
      const { unit, wordOrder, gapRegisters, maxRegisters, texts = {} } = parseDeviceParams(deviceParams);
      const order = wordOrder === 'low-first' ? 'CDAB' : 'ABCD';
      for (const text of Object.values(texts)) parseAddress(text, order);
      return createModbusDriver({
        bus,
        unit,
        where,
        gapRegisters: gapRegisters ?? params.gapRegisters,
        maxRegisters: maxRegisters ?? params.maxRegisters,
        order,
        texts,
        now,
        wait: (ms, signal) => waited(ms, signal, where),
      });
    },
    discover: (range, signal) => searchUnits(bus, range, signal),
    close: () => bus.close(),
  };
}

function waited(ms: number, signal: AbortSignal, where: string): Promise<void> {
  return sleep(ms, undefined, { signal }).catch((cause: unknown) => {
    throw new DriverError('aborted', 'given up', where, { cause });
  });
}

interface Way {
  readonly where: string;
  readonly dial: Dial;
  readonly createFramer: () => Framer;
  readonly pace: LinePace;
}

/** Above this rate the silence between frames is a fixed time (Modbus over serial line, clause 2.5.1.1). */
const FAST_BAUD = 19_200;
const FAST_GAP_MS = 1.75;
const GAP_CHARACTERS = 3.5;

function wayOf(params: ConnectionParams): Way {
  if (params.transport === 'rtu') {
    const byteMs = characterMs(params);
    const gapMs = params.baudRate > FAST_BAUD ? FAST_GAP_MS : GAP_CHARACTERS * byteMs;
    return {
      where: serialName(params),
      dial: createSerialDial(params),
      createFramer: createSerialFramer,
      pace: { gapMs: Math.max(gapMs, params.interFrameMs), byteMs, isSerial: true, isNumbered: false },
    };
  }
  const isNumbered = params.transport === 'tcp';
  const nextTransaction = createTransactions(Math.floor(Math.random() * 0x1_0000)); // A restart is a next connection, too.
  return {
    where: `${params.host}:${params.port}`,
    dial: createTcpDial(params),
    createFramer: isNumbered ? () => createMbapFramer(nextTransaction) : createRtuFramer,
    pace: { gapMs: params.interFrameMs, byteMs: 0, isSerial: false, isNumbered },
  };
}
