import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a new file and waits until the disk has it. @throws Error of the file system. */
export function writeSynced(path: string, content: Uint8Array | string, mode = 0o644): void {
  const file = openSync(path, 'w', mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** The names in a folder are on the disk when this returns. */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Old or new, never half: also after a power cut. @throws Error of the file system. */
export function replaceFile(path: string, content: Uint8Array | string): void {
  writeSynced(`${path}.part`, content, 0o600);
  renameSync(`${path}.part`, path);
  syncFolder(dirname(path));
}
