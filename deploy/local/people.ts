import { readOrMake } from './files.ts';
import { readablePassword } from './keys.ts';
import type { RunUser } from './run-file.ts';

/** A person of the demo park, as `parkline park seed --people` takes it. */
export interface Person extends RunUser {
  readonly name: string;
}

const demo = [
  { role: 'facility_engineer', login: 'engineer', name: 'Lin Hao' },
  { role: 'account_admin', login: 'admin', name: 'Chen Yu' },
] as const;

/** The demo people with passwords of this installation, made once and kept in `file`. */
export async function demoPeople(file: string): Promise<readonly Person[]> {
  const text = await readOrMake(
    file,
    () =>
      `${JSON.stringify(
        demo.map((person) => ({ ...person, password: readablePassword() })),
        null,
        2,
      )}\n`,
  );
  return JSON.parse(text) as Person[];
}
