import { chownSync, mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../base/running.ts';
import { type ConfigVersion, readState } from '../config/state.ts';
import { CONFIG_FOLDER, hashOf, INBOX_FILE, STATE_FILE } from '../config/store.ts';

/** A trial takes 120 s, and one that is under way may be overtaken at any second of it. */
const PATIENCE_MS = 180_000;
const LOOK_MS = 250;

export const stateOf = (home: string) => readState(join(home, CONFIG_FOLDER, STATE_FILE));

/** What became of a text that was handed over. waiting: no gateway runs. unknown: nothing was heard in time. */
export type Verdict =
  { readonly state: 'waiting' } | { readonly state: 'unknown' } | Pick<ConfigVersion, 'state' | 'n' | 'why'>;

/** Puts a text where the gateway of this home looks for it, and waits for what becomes of it. */
export async function handOver(home: string, yaml: string, show: (text: string) => void): Promise<Verdict> {
  const before = stateOf(home).history.at(-1)?.n ?? 0;
  putIntoInbox(home, yaml);
  const until = performance.now() + PATIENCE_MS;
  while (isRunning(home)) {
    const { history, trial } = stateOf(home);
    const line = history.find(({ n, hash }) => n > before && hash === hashOf(yaml));
    if (line && line.state !== 'applied') return { state: line.state, n: line.n, why: line.why };
    if (performance.now() > until) return { state: 'unknown' };
    show(
      line ? `on trial for ${Math.round((trial?.spentMs ?? 0) / 1_000)} s of at most 120 s` : 'handed over',
    );
    await sleep(LOOK_MS);
  }
  return { state: 'waiting' };
}

/** Whole or not at all, and belonging to whom the home belongs, also when root puts it there. */
function putIntoInbox(home: string, yaml: string): void {
  const folder = join(home, CONFIG_FOLDER);
  const part = join(folder, `${INBOX_FILE}.${process.pid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(part, yaml, { mode: 0o600, flush: true });
  if (process.getuid?.() === 0) {
    const { uid, gid } = statSync(home);
    chownSync(folder, uid, gid);
    chownSync(part, uid, gid);
  }
  renameSync(part, join(folder, INBOX_FILE));
}
