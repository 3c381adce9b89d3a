import { existsSync } from 'node:fs';
import { readIfThere, writeWhole } from './files.ts';
import { StartError, type StartOptions } from './options.ts';

/** What a home was made for: an empty park stays one, so that no later start puts demo meters into it. */
export interface Profile {
  /** Park file of a simulated park, as it was named first. */
  readonly park: string | null;
}

/**
 * The park to start: the one that the home holds, whether or not it is said again; in a fresh home the one that is asked for.
 * @throws StartError when another is named than the home holds, or the file of the one it holds is gone.
 */
export async function parkOfHome(
  file: string,
  { park, isParkNamed }: Pick<StartOptions, 'park' | 'isParkNamed'>,
): Promise<string | undefined> {
  const text = await readIfThere(file);
  if (text === undefined) return park;
  const held = (JSON.parse(text) as Profile).park ?? undefined;
  if (isParkNamed && park !== held) {
    const holds = held === undefined ? 'an empty park' : `the simulated park of ${held}`;
    throw new StartError(
      `this home holds ${holds} (npm start goes on with it); give another park another PARKLINE_HOME`,
    );
  }
  if (held !== undefined && !existsSync(held))
    throw new StartError(
      `this home holds the simulated park of ${held}, and there is no such file: put it back`,
    );
  return held;
}

/** Called before the first row is written. */
export async function keepProfile(file: string, park: string | undefined): Promise<void> {
  const profile: Profile = { park: park ?? null };
  await writeWhole(file, `${JSON.stringify(profile)}\n`);
}
