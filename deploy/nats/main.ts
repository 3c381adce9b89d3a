// npm run nats -- init|check|share: makes and checks everything that a message server of production needs.
import { globSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { run, ToolError } from '../local/machine.ts';
import { faultsOf } from './check.ts';
import { makeFiles, type Plan, tlsNames } from './files.ts';
import { dialled, type NamedServer, SeatError, seatsOf, type WholeSeat } from './seats.ts';
import { shareStream, shareWords } from './share.ts';
import { TrustError, trustFolders, type TrustFolders } from './trust.ts';

const usage = `npm run nats -- init --out DIR --server NAME=HOST[,HOST...] [options]
npm run nats -- check --out DIR
npm run nats -- share --out DIR --url URL[,URL...]
  --url URL            of a server that runs (tls://hub.park.example:4222), to give its stream a share for every gateway
  --out DIR            where keys, credentials and configurations are made; what is there stays
  --server NAME=HOSTS  a server and the names or addresses it is dialled by; once, or three times for a cluster. Where hosts repeat
                       or are loopback, the servers share a machine: ports count up, and each has folders of its own
  --port N             for gateways and the cloud (default 4222)
  --cluster-port N     between the servers of a cluster (default 6222)
  --http-port N        health and statistics, on loopback only (default 8222)
  --max-store GB       disk that all streams of one server may take (default 50)
  --config-dir DIR     on the servers: where a server-NAME folder is copied to (default /etc/parkline/nats)
  --data-dir DIR       on the servers: streams and account JWTs (default /var/lib/parkline/nats)
  --nats-server FILE   let this nats-server check the configurations too (default: none)
`;

const options = {
  out: { type: 'string' },
  url: { type: 'string' },
  server: { type: 'string', multiple: true },
  port: { type: 'string', default: '4222' },
  'cluster-port': { type: 'string', default: '6222' },
  'http-port': { type: 'string', default: '8222' },
  'max-store': { type: 'string', default: '50' },
  'config-dir': { type: 'string', default: '/etc/parkline/nats' },
  'data-dir': { type: 'string', default: '/var/lib/parkline/nats' },
  'nats-server': { type: 'string' },
} as const;

/** Where files are on the machine of a server. */
type Places = Pick<WholeSeat, 'configDir' | 'dataDir'>;

/** The server reads each configuration as it will there, with the paths of here. @throws ToolError with what it says. */
async function letServerCheck(program: string, out: string, { configDir, dataDir }: Places): Promise<void> {
  const scratch = await mkdtemp(join(tmpdir(), 'parkline-nats-check-'));
  try {
    for (const conf of globSync('server-*/server.conf', { cwd: out })) {
      const text = await readFile(join(out, conf), 'utf8');
      const folder = dirname(conf);
      const own = `"${configDir}/${folder}/`;
      const here = text
        .replaceAll(text.includes(own) ? own : `"${configDir}/`, `"${join(out, folder)}/`)
        .replaceAll(`"${dataDir}/`, `"${scratch}/`);
      const file = join(scratch, 'server.conf');
      await writeFile(file, here, { mode: 0o600 });
      await run(program, ['-t', '-c', file]);
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The command line asks for something that cannot be; the message is for the person who typed it. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

async function act(args: readonly string[]): Promise<number> {
  const { verb, values } = read(args);
  const out = resolve(values.out ?? '');
  if (verb === 'share') return share(trustFolders(join(out, 'trust')), values.url);
  if (verb === 'init') {
    const plan = planOf(values, out);
    const folders = await makeFiles(plan, new Date());
    const urls = plan.servers.map(({ hosts, port }) => `tls://${dialled(hosts[0] ?? '', port)}`);
    process.stdout.write(`${folders.join('\n')}\nNATS_URL=${urls.join(',')}\n`);
  }
  const faults = await faultsOf(out, new Date());
  for (const fault of faults) process.stderr.write(`${fault}\n`);
  if (values['nats-server'])
    await letServerCheck(values['nats-server'], out, {
      configDir: values['config-dir'],
      dataDir: values['data-dir'],
    });
  if (verb === 'check' && faults.length === 0)
    process.stdout.write(`${out}: complete, closed to others, and nothing ends within 30 days\n`);
  return faults.length > 0 ? 1 : 0;
}

async function share(folders: TrustFolders, url: string | undefined): Promise<number> {
  if (url === undefined) throw new UsageError(`share needs --url\n\n${usage}`);
  const file = (name: keyof typeof tlsNames): string => join(folders.cloud, tlsNames[name]);
  const tls = { caFile: file('caFile'), certFile: file('certFile'), keyFile: file('keyFile') };
  const outcome = await shareStream(folders, url, url.startsWith('tls:') ? tls : undefined).catch(
    (cause: unknown) => {
      throw cause instanceof TrustError ? cause : new ToolError('the message server', cause);
    },
  );
  process.stdout.write(`${shareWords(outcome)}\n`);
  return 0;
}

const verbs = ['init', 'check', 'share'] as const;

function read(args: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    const [word, ...more] = positionals;
    const verb = verbs.find((one) => one === word);
    if (!verb || more.length > 0 || !values.out) throw new UsageError(usage);
    return { verb, values };
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new UsageError(`${(cause as Error).message}\n\n${usage}`, { cause });
  }
}

type Values = ReturnType<typeof read>['values'];

function planOf(values: Values, out: string): Plan {
  const servers = (values.server ?? []).map(serverOf);
  if (servers.length !== 1 && servers.length !== 3)
    throw new UsageError('name one --server, or three for a cluster: two cannot agree when one is away');
  const whole = {
    port: portOf('--port', values.port),
    clusterPort: portOf('--cluster-port', values['cluster-port']),
    httpPort: portOf('--http-port', values['http-port']),
    configDir: values['config-dir'],
    dataDir: values['data-dir'],
  };
  const maxFileStore = wholeNumber('--max-store', values['max-store'], 1, 100_000) * 1024 ** 3;
  return { out, servers: seatsOf(servers, whole), maxFileStore };
}

function serverOf(text: string): NamedServer {
  const [, name, hosts] = /^([A-Za-z0-9_-]+)=([A-Za-z0-9.:,-]+)$/.exec(text) ?? [];
  if (!name || !hosts) throw new UsageError(`--server ${text}: write NAME=HOST or NAME=HOST,HOST`);
  return { name, hosts: hosts.split(',').filter(Boolean) };
}

function portOf(name: string, text: string): number {
  return wholeNumber(name, text, 1, 65_535);
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new UsageError(`${name}=${text} is no whole number from ${least} to ${most}`);
  return value;
}

try {
  process.exitCode = await act(process.argv.slice(2));
} catch (error) {
  if (![UsageError, SeatError, ToolError, TrustError].some((kind) => error instanceof kind)) throw error;

  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = error instanceof UsageError || error instanceof SeatError ? 2 : 1;
}
