import { readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Who switched remote writing off, for whoever wonders. */
export interface SwitchedOff {
  /** Unix ms; null when the file does not say. */
  readonly at: number | null;
  readonly by: string | null;
}

/** The local switch: while the file is there, nothing is written for anybody far away. */
export interface WritingSwitch {
  /** Undefined: writing is on. Looked up each time, so that it works at once. A file that cannot be read counts as off. */
  off(): SwitchedOff | undefined;
  /** @throws Error of the file system. */
  turnOff(note: { readonly at: number; readonly by: string }): void;
  turnOn(): void;
}

export const createWritingSwitch = (path: string): WritingSwitch => ({
  off() {
    try {
      return noteOf(readFileSync(path, 'utf8'));
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : { at: null, by: null };
    }
  },
  turnOff(note) {
    writeFileSync(path, `${JSON.stringify(note)}\n`);
  },
  turnOn() {
    rmSync(path, { force: true });
  },
});

function noteOf(text: string): SwitchedOff {
  try {
    const { at, by } = JSON.parse(text) as Partial<Record<'at' | 'by', unknown>>;
    return { at: typeof at === 'number' ? at : null, by: typeof by === 'string' ? by : null };
  } catch {
    return { at: null, by: null }; // Made by hand: that it is there is all that counts.
  }
}
