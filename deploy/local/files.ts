import { randomBytes } from 'node:crypto';
import { link, open, readFile, rename, rm } from 'node:fs/promises';

/** Replaces `file` in one step, on the disk before it is visible: a crash leaves the old text or the new, never half. */
export const writeWhole = (file: string, text: string, mode = 0o600): Promise<void> =>
  fromDraft(file, text, mode, (draft) => rename(draft, file));

async function fromDraft(
  file: string,
  text: string,
  mode: number,
  publish: (draft: string) => Promise<void>,
): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}`;
  try {
    const handle = await open(draft, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await publish(draft);
  } finally {
    await rm(draft, { force: true });
  }
}

/** The text of `file`, or undefined when there is none. */
export async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The text of `file`; `make` writes its first version. Of several at once the first one's text stands for all. */
export async function readOrMake(file: string, make: () => string): Promise<string> {
  const known = await readIfThere(file);
  if (known !== undefined) return known;
  try {
    await fromDraft(file, make(), 0o600, (draft) => link(draft, file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFile(file, 'utf8');
}
