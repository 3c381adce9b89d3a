import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Command } from '@parkline/contract';
import pino from 'pino';
import { systemClock, systemWait } from '../base/clock.ts';
import { createFailpoint, killSelf } from '../base/failpoint.ts';
import { createFaultLog } from '../base/fault-log.ts';
import { openJournal } from '../writing/journal.ts';
import { createWriting } from '../writing/writing.ts';
import { fileDevice } from './commands.ts';

/**
 * A child process that carries one command out on a file device and prints every result that leaves its journal, until its
 * test is gone or kills it. Started again with the same command it is the same gateway after a kill.
 */
const { values } = parseArgs({
  options: { folder: { type: 'string' }, command: { type: 'string' }, failpoint: { type: 'string' } },
});
const folder = values.folder ?? '.';
const order = JSON.parse(values.command ?? 'null') as Command;
const log = pino({ enabled: false });
const writing = createWriting({
  journal: openJournal(join(folder, 'commands.sqlite'), Date.now(), (movedTo) => {
    throw new Error(`moved aside to ${movedTo}`);
  }),
  events: {
    add(event) {
      process.stdout.write(`${JSON.stringify(event)}\n`);
    },
  },
  find: (pointId) => ({
    equipmentId: 'device',
    driver: fileDevice(join(folder, 'device')),
    ref: { pointId, address: 'x', scale: 1, kind: 'gauge' },
    point: {
      ...{ kind: 'gauge', unit: '°C' },
      write: { min: 0, max: 50, perMinute: 6, priority: 16, holdS: 3_600, safety: false },
    },
    hasPriorities: true,
  }),
  isOff: () => false,
  newId: randomUUID,
  clock: systemClock,
  wait: systemWait,
  log,
  faults: createFaultLog(log, systemClock),
  failpoint: createFailpoint(values.failpoint, killSelf),
});
const stop = new AbortController();
const parent = process.ppid;
void writing.run(stop.signal);
writing.take(order);
while (process.ppid === parent) await systemWait(100, stop.signal);
