import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import type { HoleMemory } from './holes.ts';

const Memory = Type.Record(
  Type.String(),
  Type.Object({ lastAt: Type.Number(), holes: Type.Array(Type.Tuple([Type.Number(), Type.Number()])) }),
);

/** Where the times of the last values outlive a restart. */
export interface HolesFile {
  /** Nothing when there is no file or it says nothing: then history is asked for from the next outage on. */
  load(): Promise<HoleMemory>;
  /** Whole or not at all, should the power fail. Rejects when the disk does not take it. */
  save(memory: HoleMemory): Promise<void>;
}

/** @param dataDir The folder of the drivers. None of theirs begins with '@'. */
export function createHolesFile(dataDir: string): HolesFile {
  const path = join(dataDir, '@history.json');
  return {
    async load() {
      try {
        const given: unknown = JSON.parse(await readFile(path, 'utf8'));
        return Value.Check(Memory, given) ? given : {};
      } catch {
        return {}; // A first start, or a file that a dying disk has cut: live values matter more than old ones.
      }
    },
    async save(memory) {
      await mkdir(dataDir, { recursive: true, mode: 0o700 });
      await writeFile(`${path}.tmp`, JSON.stringify(memory), { mode: 0o600 });
      await rename(`${path}.tmp`, path);
    },
  };
}
