import { chmod, mkdir, mkdtemp, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openHome } from './home.ts';
import { scratchFolder } from './machine.ts';
import { StartError } from './options.ts';

let folder: string;
let notices: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(scratchFolder(), 'parkline-home-test-'));
  await chmod(folder, 0o755);
  notices = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const deps = (isRoot: boolean) => ({
  isRoot,
  sharedRoot: join(folder, 'shared'),
  notice: (text: string) => void notices.push(text),
});
const mode = async (path: string): Promise<number> => (await stat(path)).mode & 0o777;

test('an ordinary user gets a home that only he can enter', async () => {
  const home = await openHome(join(folder, 'a/b'), deps(false));
  expect(await mode(home.folder)).toBe(0o700);
  expect(await mode(home.secrets)).toBe(0o700);
});

test('for root the way to the database stays open while secrets are closed', async () => {
  const home = await openHome(join(folder, 'a'), deps(true));
  expect(await mode(home.folder)).toBe(0o711);
  expect(await mode(home.secrets)).toBe(0o700);
  expect(notices).toEqual([]);
});

test('below a closed folder root is led to a shared place, by one line and a link', async () => {
  const closed = join(folder, 'closed');
  await mkdir(closed, { mode: 0o700 });
  const asked = join(closed, '.parkline');
  const home = await openHome(asked, deps(true));
  expect(home.folder.startsWith(join(folder, 'shared/'))).toBe(true);
  expect(await readlink(asked)).toBe(home.folder);
  expect(notices).toHaveLength(1);
  expect((await openHome(asked, deps(true))).folder).toBe(home.folder);
});

test('files that lie in the way are not touched', async () => {
  const closed = join(folder, 'closed');
  await mkdir(join(closed, 'mine'), { recursive: true });
  await chmod(closed, 0o700);
  await writeFile(join(closed, 'mine/file'), 'kept');
  await expect(openHome(join(closed, 'mine'), deps(true))).rejects.toThrow(StartError);
  expect(await mode(join(closed, 'mine/file'))).toBeGreaterThan(0);
});

test('a link of the user to data elsewhere is not replaced by ours', async () => {
  const [closed, elsewhere] = [join(folder, 'closed'), join(folder, 'elsewhere')];
  await mkdir(elsewhere);
  await mkdir(closed, { mode: 0o700 });
  await symlink(elsewhere, join(closed, '.parkline'));
  await expect(openHome(join(closed, '.parkline'), deps(true))).rejects.toThrow(elsewhere);
  expect(await readlink(join(closed, '.parkline'))).toBe(elsewhere);
});

test('a path through a file is refused with its name', async () => {
  await writeFile(join(folder, 'file'), '');
  await expect(openHome(join(folder, 'file/home'), deps(false))).rejects.toThrow(/file\/home cannot be used/);
});
