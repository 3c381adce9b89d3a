import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Small files that are replaced whole. */
export interface Disk {
  /** Whole and on the disk when this returns; the old content until then. For its owner only. @throws Error of the file system. */
  replace(path: string, text: string): void;
  /** No fault when it is gone already. */
  remove(path: string): void;
}

export const realDisk: Disk = {
  replace(path, text) {
    const part = `${path}.part`;
    const file = openSync(part, 'w', 0o600);
    try {
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(part, path);
    syncFolder(dirname(path)); // The new name is on the disk, too.
  },
  remove(path) {
    rmSync(path, { force: true });
  },
};

/** Whether the file system failed, and not the program. */
export const isDiskFault = (error: unknown): boolean =>
  error instanceof Error && typeof (error as { syscall?: unknown }).syscall === 'string';

function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
