import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { IDENTITY_FILE, NEXT_FILE } from '../identity/store.ts';
import { fail, type Finding } from './check.ts';

/** What joins a gateway to its cloud, as it is typed. */
export const claimCommand = (home: string): string =>
  `with a claim code from the administrator: parkline gateway claim --url https://… --code-file code.txt --home ${home}`;

/** What a folder lacks to be a gateway at all; undefined when it is one, whatever may be wrong with it. */
export function checkClaimed(home: string): Finding | undefined {
  const has = (file: string): boolean => existsSync(join(home, file));
  if (has('gateway.yaml') || has(IDENTITY_FILE)) return undefined;
  if (has(NEXT_FILE))
    return fail(
      'claim',
      `${home}: a claim was begun here and did not end`,
      'run the same parkline gateway claim again: it goes on with the same keys',
    );
  return fail(
    'claim',
    `${home} holds no gateway: it is not claimed yet`,
    `${claimCommand(home)}; to map devices before: parkline gateway prepare`,
  );
}
