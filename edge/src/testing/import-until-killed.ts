import { parseArgs } from 'node:util';
import { planImport } from '../points/diff.ts';
import { createUuidV7 } from '../points/ids.ts';
import { draft } from '../points/point.ts';
import { openPointStore } from '../points/store.ts';

/** A child process that imports batch after batch of a thousand points, all with the batch's number, and tells each that is done. */
const { values } = parseArgs({ options: { path: { type: 'string' } } });
const store = openPointStore({
  path: values.path ?? 'points.sqlite',
  busyMs: 5_000,
  now: Date.now,
  createId: () => createUuidV7(Date.now()),
});
const parent = process.ppid;
const first = store.batches().length + 1;
for (let round = first; process.ppid === parent; round += 1) {
  const found = Array.from({ length: 1_000 }, (_, at) => ({
    row: at + 2,
    point: draft({ key: `p${at}`, name: `round ${round}` }),
  }));
  process.stdout.write(`start ${round}\n`);
  const plan = planImport({ source: 's', found, faults: [] }, store.pointsOf('s'), 's');
  store.commit(plan, { file: 'f', format: 'modbus' });
  process.stdout.write(`done ${round}\n`);
}
