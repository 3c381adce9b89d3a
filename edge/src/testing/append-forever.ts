import { parseArgs } from 'node:util';
import { draft, openTestOutbox } from './scratch.ts';

/** A child process that appends until it is killed and says each number only after `append` returned. */
const { values } = parseArgs({ options: { folder: { type: 'string' } } });
const outbox = openTestOutbox(values.folder ?? '.');
for (;;) {
  const seq = outbox.append(draft());
  process.stdout.write(`${seq}\n`);
}
