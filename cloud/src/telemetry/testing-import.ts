import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { newId } from '../platform/ids.ts';
import { importReadings, type ImportResult } from './import-readings.ts';

interface LoadOptions {
  readonly dryRun?: boolean;
  readonly simulated?: boolean;
  readonly name?: string;
  readonly rollover?: Readonly<Record<string, number>>;
}

/** Imports text as a file of its name, in a folder that `remove` takes away. It is then 10 o'clock on 2026-11-22. */
export function createImporter(owner: Pool) {
  const folder = mkdtempSync(join(tmpdir(), 'parkline-import-'));
  const now = () => new Date('2026-11-22T10:00:00Z');
  return {
    async load(
      accountId: string,
      text: string | Buffer,
      { dryRun = false, simulated = false, name = 'readings.csv', rollover = {} }: LoadOptions = {},
    ): Promise<ImportResult & { progress: readonly string[] }> {
      const path = join(folder, name);
      writeFileSync(path, text);
      const progress: string[] = [];
      const result = await importReadings(
        { pool: owner, now, newId, progress: (said) => void progress.push(said) },
        {
          accountId,
          path,
          name,
          who: 'test',
          simulated,
          rollover: new Map(Object.entries(rollover)),
          dryRun,
        },
      );
      return { ...result, progress };
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}
