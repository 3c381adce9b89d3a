import { parseArgs } from 'node:util';
import { draft, openTestOutbox } from './scratch.ts';

/** A child process that appends until it is killed, or its test is gone, and says each number only after `append` returned. */
const { values } = parseArgs({ options: { folder: { type: 'string' } } });
const outbox = openTestOutbox(values.folder ?? '.');
const parent = process.ppid;
while (process.ppid === parent) {
  const seq = outbox.append(draft());
  process.stdout.write(`${seq}\n`);
}
