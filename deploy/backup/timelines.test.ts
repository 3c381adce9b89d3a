import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verify } from './restore.ts';
import { listWal, type Manifest, openStore, type Store, walFile, writeManifest } from './store.ts';
import { segmentName } from './timelines.ts';
import { archiveWal, chainOf, pruneWal } from './wal.ts';

const SEGMENT = 16 * 1024 * 1024;
const minute = (n: number): number => n * 60_000;
const segment = (timeline: number, number: number): string => segmentName({ timeline, number }, SEGMENT);
const first: Manifest = {
  ...{ format: 1, id: '19700101T000100Z', beganAt: minute(1), endedAt: minute(1), serverVersion: '17.6' },
  ...{ systemIdentifier: '7', walSegmentBytes: SEGMENT, preload: '', pieces: [], timeline: 1 },
  ...{ startLsn: '0/1000028', endLsn: '0/1000120' },
};
/** Made on the timeline of the restore. */
const second: Manifest = {
  ...{ ...first, id: '19700101T001300Z', endedAt: minute(13), timeline: 2 },
  ...{ startLsn: '0/4000028', endLsn: '0/4000120' },
};
const history = '00000002.history';

// A park wrote segments 1 to 6, one a minute. In the tenth minute it was restored to the middle of the third, and went on from there.
describe('the log of a park that was restored to an earlier moment', () => {
  let folder: string;
  let store: Store;

  async function archive(name: string, at: number, text = name): Promise<void> {
    const path = join(folder, 'file');
    writeFileSync(path, text);
    utimesSync(path, at / 1000, at / 1000);
    await archiveWal(store, { path, name });
  }

  /** Runs `work` while a file of the log is not in the archive. */
  async function without(name: string, work: () => Promise<void>): Promise<void> {
    const file = walFile(store, name);
    renameSync(file, `${file}.away`);
    await work().finally(() => renameSync(`${file}.away`, file));
  }

  const keep = async (base: Manifest): Promise<void> => {
    const draft = join(store.folder, 'base/draft.part');
    mkdirSync(draft);
    await writeManifest(store, draft, base);
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parkline-timelines-'));
    store = await openStore(join(folder, 'store'), [{ id: 'one', key: randomBytes(32) }]);
    for (const n of [1, 2, 3, 4, 5, 6]) await archive(segment(1, n), minute(n));
    await archive(`${segment(1, 6)}.partial`, minute(6));
    await archive(history, minute(10), '1\t0/3800000\tbefore 1970-01-01 00:03:30+00\n\n');
    for (const n of [3, 4, 5]) await archive(segment(2, n), minute(n + 8));
    await keep(first);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const old = [1, 2, 3, 4, 5, 6].map((n) => segment(1, n));
  const current = [segment(1, 1), segment(1, 2), ...[3, 4, 5].map((n) => segment(2, n))];

  test('leads over to the newest timeline where it was begun, and leaves out what was left behind', async () => {
    expect(await chainOf(store, first, undefined)).toEqual({
      ...{ names: [history, ...current], until: minute(13), timeline: 2 },
    });
  });

  test.each([
    [minute(2), 1, old],
    [minute(5), 1, old],
    [minute(11), 2, current],
  ])('at %i ms leads along the timeline that the park was on then', async (at, timeline, names) => {
    expect(await chainOf(store, first, at)).toMatchObject({ timeline, names: [history, ...names] });
  });

  test('has nothing of the minutes in which no server ran', async () => {
    await expect(chainOf(store, first, minute(9))).rejects.toThrow(/archived up to 1970-01-01T00:06/);
  });

  test('has a hole where the newest timeline has one, though the one before it has a file of that number', async () => {
    await without(segment(2, 4), () =>
      expect(chainOf(store, first, undefined)).rejects.toThrow(`${segment(2, 4)} of the log is missing`),
    );
    await without(segment(1, 2), () =>
      expect(chainOf(store, first, undefined)).rejects.toThrow(`${segment(1, 2)} of the log is missing`),
    );
  });

  test('goes on in the file that was left as long as the one of the new timeline is not archived', async () => {
    const [three, four, five] = [3, 4, 5].map((n) => segment(2, n)) as [string, string, string];
    await without(three, () =>
      without(four, () =>
        without(five, async () => {
          expect(await chainOf(store, first, undefined)).toEqual({
            ...{ names: [history, ...old.slice(0, 3)], until: minute(2), timeline: 2 },
          });
          await expect(chainOf(store, first, minute(11))).rejects.toThrow(/archived up to/);
          expect(await verify(store)).toMatchObject([{ left: 1, until: minute(6) }]);
        }),
      ),
    );
  });

  test('is refused when a timeline does not say where it came from', async () => {
    await without(history, () =>
      expect(chainOf(store, first, undefined)).rejects.toThrow(/00000002.history of the log is missing/),
    );
  });

  test('does not follow a timeline that was begun before the base backup was whole', async () => {
    const late = { ...first, startLsn: '0/4000028', endLsn: '0/4000120' };
    expect(await chainOf(store, late, undefined)).toMatchObject({
      ...{ names: [history, ...old.slice(3)], timeline: 1 },
    });
  });

  test('offers the seconds before the restore and those after it', async () => {
    await keep(second);
    expect(await verify(store)).toEqual([
      { id: first.id, from: minute(1), until: minute(6), left: 1 },
      { id: first.id, from: minute(10), until: minute(13) },
      { id: second.id, from: minute(13), until: minute(13) },
    ]);
  });

  test('loses what was left behind with the last base backup of before', async () => {
    expect(await pruneWal(store, [first, second])).toBe(0);
    expect(await pruneWal(store, [second])).toBe(8);
    expect(await listWal(store)).toEqual([history, segment(2, 4), segment(2, 5)]);
  });
});
