import { expect, test } from 'vitest';
import { runCli } from './main.ts';

async function parkline(...argv: string[]) {
  const said = { out: '', err: '' };
  const write = (which: 'out' | 'err') => (text: string) => void (said[which] += text);
  // Commander writes its own words where the process does.
  using out = replaced(process.stdout, write('out'));
  using err = replaced(process.stderr, write('err'));
  void [out, err];
  const io = { out: write('out'), err: write('err'), env: {}, cwd: import.meta.dirname };
  return { code: await runCli(argv, io), ...said };
}

function replaced(stream: NodeJS.WriteStream, write: (text: string) => void): Disposable {
  const before = stream.write.bind(stream);
  stream.write = ((text: string) => (write(text), true)) as typeof stream.write;
  return { [Symbol.dispose]: () => void (stream.write = before) };
}

test.each([
  [[], 2, /^Usage: parkline /],
  [['--help'], 0, /^Usage: parkline /],
  [['gateway'], 2, /^Usage: parkline gateway /],
  [['gateway', 'claim', '--help'], 0, /--url <cloud> +address of the cloud, https:\/\/ \(required\)/],
  [['points', 'import', '--help'], 0, /--scale-factor (?!.*\(default)/],
  [['nothing'], 2, /unknown command 'nothing'\n.*parkline --help lists the commands/s],
  [['gateway', 'nothing'], 2, /unknown command 'nothing'\n.*parkline gateway --help lists the commands/s],
  [['points', 'list', '--nothing'], 2, /unknown option '--nothing'\n.*points list --help says how/s],
  [['gateway', 'claim'], 2, /required option '--url <cloud>'/],
  [['config', 'show'], 2, /which gateway\? Name its home/],
  [['config', 'show', '--home', import.meta.dirname], 1, /is no home of a gateway/],
] as const)('parkline %j ends with %d and says what to do', async (argv, wanted, words) => {
  const { code, out, err } = await parkline(...argv);
  expect(wanted === 0 ? out : err).toMatch(words);
  expect(code).toBe(wanted);
});
