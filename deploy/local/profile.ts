import { readIfThere, writeWhole } from './files.ts';
import { StartError } from './options.ts';

/** What a home was made for: an empty park stays one, so that no later start puts demo meters into it. */
export interface Profile {
  /** Park file of a simulated park, as it was named first. */
  readonly park: string | null;
}

/** @throws StartError when the home holds another kind of park than is asked for. */
export async function assertProfile(file: string, park: string | undefined): Promise<void> {
  const text = await readIfThere(file);
  if (text === undefined) return;
  const known = JSON.parse(text) as Profile;
  if (known.park === (park ?? null)) return;
  const holds =
    known.park === null ? 'an empty park (start it with --no-demo)' : `the simulated park of ${known.park}`;
  throw new StartError(`this home holds ${holds}; give another park another PARKLINE_HOME`);
}

/** Called before the first row is written. */
export async function keepProfile(file: string, park: string | undefined): Promise<void> {
  const profile: Profile = { park: park ?? null };
  await writeWhole(file, `${JSON.stringify(profile)}\n`);
}
