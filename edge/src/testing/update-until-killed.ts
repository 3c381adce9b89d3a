// Replaces a program from 1.0.0 to 1.1.0 and dies at the n-th step: node update-until-killed.ts FOLDER N. Prints 'done' at the end.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GatewayEvent, RELEASE_CHUNK_BYTES, type UpdateChunkQuery } from '@parkline/contract';
import { createUpdateLife } from '../update/life.ts';
import { parseReleaseFile } from '../update/release-file.ts';
import { openSlots } from '../update/slots.ts';

const [folder = '', steps = '0'] = process.argv.slice(2);
const { signed, pack } = parseReleaseFile(readFileSync(join(folder, 'release')));
let left = Number(steps);
const passed = (): void => {
  left -= 1;
  if (left === 0) process.kill(process.pid, 'SIGKILL');
};
const slots = openSlots(join(folder, 'program'), passed);
const told: GatewayEvent[] = [];
let at = Date.now();
const isDone = (): boolean => {
  const { version, trial, untold } = slots.state();
  return version === '1.1.0' && trial === null && untold.length === 0;
};

while (!isDone()) {
  const stop = new AbortController();
  const life = createUpdateLife({
    ...{ slots, passed, keyPath: join(folder, 'release.pub.pem'), platform: 'linux-x64', node: '24.21.0' },
    board: { list: () => [], silence: () => undefined },
    isCloudConnected: () => false,
    ask: (query) => {
      const { chunk } = JSON.parse(Buffer.from(query).toString()) as UpdateChunkQuery;
      return Promise.resolve(pack.subarray(chunk * RELEASE_CHUNK_BYTES, (chunk + 1) * RELEASE_CHUNK_BYTES));
    },
    get: fetch,
    replace: () => {
      stop.abort();
    },
    events: { add: (event) => void told.push(event) },
    clock: { now: () => at, monotonic: () => at },
    wait: async (ms) => {
      at += ms;
      if (isDone()) stop.abort();
      await sleep(0);
    },
    faults: { fault: () => undefined, over: () => undefined },
    freeBytes: () => 1e12,
  });
  life.offer({ gatewayId: '018f0000-0000-7000-8000-000000000001', at, release: signed });
  await life.run(stop.signal);
}
process.stdout.write('done\n');
