import { randomBytes } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withoutPassword } from './base.ts';
import { type BackupKey, makeKeyFile, readKeys } from './keys.ts';
import { into } from './restore.ts';
import { readHead, seal, unseal } from './sealed.ts';
import {
  listWal,
  type Manifest,
  openStore,
  readManifest,
  type Store,
  walFile,
  writeManifest,
} from './store.ts';
import { segmentOf } from './timelines.ts';
import { archiveWal, chainOf, pruneWal, stageWal } from './wal.ts';

const key: BackupKey = { id: 'one', key: randomBytes(32) };
const PART = 1024 * 1024;

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer, void, undefined> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}
async function all(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
}
const sealed = (plain: Buffer, name = 'base/a/database') => all(seal(inPieces(plain, 70_000), key, name, 5));
const opened = (bytes: Buffer, keys = [key], name = 'base/a/database') =>
  all(unseal(inPieces(bytes, 99_991), keys, name));

describe('a sealed piece', () => {
  test.each([0, 1, PART - 1, PART, PART + 1, 2 * PART + 3])(
    'of %i bytes opens to the same bytes',
    async (size) => {
      const plain = randomBytes(size);
      const bytes = await sealed(plain);
      expect((await opened(bytes)).equals(plain)).toBe(true);
      expect(readHead(bytes, 'x')).toEqual({ keyId: 'one', at: 5 });
      if (size > 32) expect(bytes.includes(plain.subarray(0, 32))).toBe(false);
    },
  );

  test('is sealed anew each time', async () => {
    const plain = randomBytes(100);
    expect((await sealed(plain)).equals(await sealed(plain))).toBe(false);
  });

  test.each<[string, (bytes: Buffer) => Buffer | Promise<Buffer>]>([
    ['with one bit changed', (b) => (b.writeUInt8(b.readUInt8(b.length - 40) ^ 1, b.length - 40), b)],
    [
      'with another time',
      (b) => Buffer.concat([Buffer.from(b.subarray(0, 22)), Buffer.from('6'), b.subarray(23)]),
    ],
    ['that was cut in the middle of a part', (b) => b.subarray(0, -1)],
    ['that was cut between two parts', (b) => b.subarray(0, 40 + PART + 16)],
    ['that ends behind its salt', (b) => b.subarray(0, 40)],
    ['that goes on', (b) => Buffer.concat([b, Buffer.from('more')])],
    [
      'whose parts changed places',
      (b) => {
        const part = PART + 16;
        const [first, second] = [b.subarray(40, 40 + part), b.subarray(40 + part, 40 + 2 * part)];
        return Buffer.concat([b.subarray(0, 40), second, first, b.subarray(40 + 2 * part)]);
      },
    ],
  ])('%s does not open', async (_what, change) => {
    const bytes = await sealed(randomBytes(2 * PART + 9));
    expect(bytes.indexOf('\n')).toBe(23);
    await expect(opened(await change(bytes))).rejects.toThrow(/does not open: it was altered/);
  });

  test('opens under its own name and key only, and says what is wrong', async () => {
    const bytes = await sealed(randomBytes(10));
    await expect(opened(bytes, [key], 'base/b/database')).rejects.toThrow(/base\/b\/database does not open/);
    await expect(opened(bytes, [{ id: 'two', key: key.key }])).rejects.toThrow(
      /the key one, which is not in/,
    );
    await expect(opened(bytes, [{ id: 'one', key: randomBytes(32) }])).rejects.toThrow(
      /its key is another one/,
    );
    await expect(opened(Buffer.from('hello'))).rejects.toThrow(/no sealed file/);
    expect((await opened(bytes, [{ id: 'two', key: randomBytes(32) }, key])).length).toBe(10);
  });
});

describe('a folder of backups', () => {
  const SEGMENT = 16 * 1024 * 1024;
  let folder: string;
  let store: Store;
  const base: Manifest = {
    ...{ format: 1, id: '20261123T030000Z', beganAt: 1, endedAt: 2, serverVersion: '17.6', timeline: 1 },
    ...{ systemIdentifier: '7', walSegmentBytes: SEGMENT, preload: '', pieces: [] },
    ...{ startLsn: '0/FE000028', endLsn: '0/FE000120' },
  };
  const names = ['0000000100000000000000FD', '0000000100000000000000FE', '0000000100000000000000FF'];
  const later = '000000010000000100000000';

  async function archive(name: string, text: string): Promise<void> {
    const path = join(folder, 'segment');
    writeFileSync(path, text);
    await archiveWal(store, { path, name });
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'parkline-backup-'));
    store = await openStore(join(folder, 'store'), [key]);
    for (const name of [...names, later]) await archive(name, `log ${name}`);
    mkdirSync(join(folder, 'store/base/a.part'));
    await writeManifest(store, join(folder, 'store/base/a.part'), base);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test('takes a file of the log again, and no other one under its name', async () => {
    await archive(names[0]!, `log ${names[0]}`);
    await expect(archive(names[0]!, 'other')).rejects.toThrow(/archived before with other content/);
    await expect(archive('../x', 'other')).rejects.toThrow(/no name of a file/);
    expect(await listWal(store)).toEqual([...names, later]);
  });

  test('gives the log from a base backup on, over the end of a numbering', async () => {
    expect(segmentOf('1/0', SEGMENT)).toBe(256);
    const chain = await chainOf(store, base, undefined);
    expect(chain.names).toEqual([...names.slice(1), later]);
    await stageWal(store, chain, join(folder, 'wal'));
    expect(readFileSync(join(folder, 'wal', later), 'utf8')).toBe(`log ${later}`);
    await expect(chainOf(store, base, chain.until)).rejects.toThrow(/archived up to .* only/);
    expect((await chainOf(store, base, chain.until - 1)).names).toEqual(chain.names);
  });

  test('opens a part of the log that was closed early without taking the room of a full one', async () => {
    const early = '000000020000000000000001';
    const path = join(folder, 'early');
    const bytes = Buffer.concat([randomBytes(100_000), Buffer.alloc(SEGMENT - 100_001), Buffer.from([1])]);
    writeFileSync(path, bytes);
    await archiveWal(store, { path, name: early });
    await stageWal(store, { names: [early], until: 0, timeline: 2 }, join(folder, 'early.wal'));
    const opened = join(folder, 'early.wal', early);
    expect(readFileSync(opened).equals(bytes)).toBe(true);
    expect(statSync(opened).blocks * 512).toBeLessThan(1_000_000);
    rmSync(walFile(store, early));
  });

  test('names the file of the log that is missing', async () => {
    const file = walFile(store, names[2]!);
    const bytes = readFileSync(file);
    rmSync(file);
    await expect(chainOf(store, base, undefined)).rejects.toThrow(
      /0000000100000000000000FF of the log is missing/,
    );
    writeFileSync(file, bytes);
  });

  test('believes no manifest that was altered', async () => {
    expect(await readManifest(store, base.id)).toEqual(base);
    const file = join(folder, 'store/base', base.id, 'manifest.json');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('17.6', '17.7'));
    await expect(readManifest(store, base.id)).rejects.toThrow(/was altered/);
    writeFileSync(file, text);
    const stranger = { ...store, keys: [{ id: 'two', key: randomBytes(32) }] };
    await expect(readManifest(stranger, base.id)).rejects.toThrow(/the key one, which is not in/);
  });

  test('drops the log that no base backup needs', async () => {
    expect(await pruneWal(store, [base])).toBe(1);
    expect(await listWal(store)).toEqual([...names.slice(1), later]);
  });

  test('is not opened with a key file that others may read, or by way of a folder that they may enter', async () => {
    const file = join(folder, 'backup.key');
    const id = await makeKeyFile(file);
    expect(await readKeys(file)).toMatchObject([{ id }]);
    await expect(makeKeyFile(file)).rejects.toThrow(/is there already/);
    chmodSync(file, 0o640);
    await expect(readKeys(file)).rejects.toThrow(/chmod 600/);
    await expect(readKeys(join(folder, 'none'))).rejects.toThrow(/there is no key file/);
    chmodSync(store.folder, 0o755);
    await expect(openStore(store.folder, [key])).rejects.toThrow(/chmod 700/);
    chmodSync(store.folder, 0o700);
  });
});

describe('what is written into a program', () => {
  test('is whole when the program ends before its input is confirmed to be closed', async () => {
    let got = '';
    const program: Writable = new Writable({
      write: (bytes: Buffer, _encoding, done) => ((got += bytes.toString()), done()),
      final: () => void program.destroy(),
    });
    await pipeline(Readable.from([Buffer.from('all '), Buffer.from('of it')]), into(program));
    expect(got).toBe('all of it');
  });

  test('ends with what broke off: the program waits for no more', async () => {
    const program = new PassThrough();
    const broken = Readable.from(
      (async function* () {
        yield await Promise.resolve(Buffer.from('a part'));
        throw new Error('altered');
      })(),
    );
    await expect(pipeline(broken, into(program))).rejects.toThrow('altered');
    expect(program.destroyed).toBe(true);
  });
});

describe('the address of the database', () => {
  test.each([
    'postgresql://copier:s%2Fcret@db.example/park?sslmode=require',
    'postgresql://copier@db.example/park?sslmode=require&password=s%2Fcret',
  ])('goes to a program without its password: %s', (address) => {
    expect(withoutPassword(address)).toEqual({
      url: 'postgresql://copier@db.example/park?sslmode=require',
      password: 's/cret',
    });
  });
});
