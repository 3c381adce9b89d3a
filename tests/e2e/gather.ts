import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningPark, until } from '../support/park.ts';
import type { Entry } from './laws.ts';
import { readAccepted, readServed, readStored, type TestPoint } from './three-sets.ts';

const parks = join(import.meta.dirname, '../../firmware-sim/parks');
/** From the request at the simulator to the sample's stamp: the driver's time-out is the limit. */
export const windowMs = 1_100;
/** A park at another pace than its templates'. */
export async function paced(park: string, everyMs: number, heartbeatMs: number): Promise<string> {
  const file = join(tmpdir(), `parkline-park-${process.pid}-${everyMs}.yaml`);
  const text = readFileSync(join(parks, park), 'utf8');
  await writeFile(file, `${text}\npoll: { everyMs: ${everyMs}, heartbeatMs: ${heartbeatMs} }\n`);
  return file;
}

export interface Sets {
  /** Unix ms up to which the samples go. */
  readonly cut: number;
  readonly served: Entry[];
  readonly accepted: Entry[];
  readonly stored: Entry[];
}

/** Waits until everything accepted so far is receipted, then reads the three sets up to that moment. */
export async function gather(
  park: RunningPark,
  points: ReadonlyMap<string, TestPoint>,
  file: string,
): Promise<Sets> {
  const cut = Date.now();
  await sleep(2_500); // A batch waits a second for company before it is accepted.
  await until(
    () => park.run.gateways.every(({ home }) => pendingBefore(home, cut) === 0),
    90_000,
    'the outboxes are drained',
  );
  const upTo = ({ at }: Entry) => at <= cut;
  return {
    cut,
    served: readServed(park, file),
    accepted: readAccepted(park, points).filter(upTo),
    stored: (await readStored(park, points)).filter(upTo),
  };
}

function pendingBefore(home: string, at: number): number {
  const db = new DatabaseSync(join(home, 'outbox.sqlite'), { readOnly: true });
  try {
    const row = db
      .prepare('SELECT count(*) AS n FROM message WHERE received_at IS NULL AND from_ms <= ?')
      .get(at);
    return (row as { n: number }).n;
  } finally {
    db.close();
  }
}
