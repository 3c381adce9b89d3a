import { Command } from 'commander';
import { expect, test } from 'vitest';
import { register } from './places.ts';

/** Runs `parkline places ...` where no park runs. */
async function places(...args: string[]): Promise<void> {
  const program = new Command('parkline').exitOverride();
  register(program, { out: () => undefined, err: () => undefined, env: {}, cwd: import.meta.dirname });
  await program.parseAsync(['places', ...args], { from: 'user' });
}

test.each([
  [['undo', 'b-17'], 'b-17 is no import: name the id that places import printed'],
  [['export', 'spaces.txt', '--kind', 'spaces'], 'spaces.txt must end in .csv or .xlsx'],
])('what cannot be meant is refused as wrong use, before a database is asked: %j', async (args, words) => {
  await expect(places(...args)).rejects.toMatchObject({ code: 'usage', message: words });
});

test('a file that is not there is missed before a database is asked', async () => {
  await expect(places('import', 'gone.csv', '--kind', 'sites')).rejects.toThrow(
    /^there is no file gone.csv$/,
  );
});
