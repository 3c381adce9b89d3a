import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

/** What `npm start` was asked to do. */
export interface StartOptions {
  /** Where everything is kept that must survive a restart. */
  readonly home: string;
  /** TCP port of the portal and API; 0 picks a free one. */
  readonly port: number;
  readonly host: string;
  /** Park file to simulate and seed; undefined starts an empty park. */
  readonly park: string | undefined;
  /** Whether the command line says which park; where it does not, a home goes on with the one that it holds. */
  readonly isParkNamed: boolean;
  /** Park file of a second operator on the same server, seeded beside the demo park. */
  readonly neighbour: string | undefined;
  /** Months of simulated history imported at the first start; 0 imports none. */
  readonly historyMonths: number;
  /** Gateways report every read instead of changes only: for tests that compare each value. */
  readonly reportEvery: boolean;
  /** The simulator writes down every value it serves: for tests that compare it with what was stored. */
  readonly logServed: boolean;
  /** Owner's address of an existing database. */
  readonly databaseUrl: string | undefined;
  /** An existing message server. */
  readonly natsUrl: string | undefined;
}

/** The command line or the environment asks for something that cannot be; the message is for the person who typed it. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

export const usage = `npm start -- [options]
  --no-demo            start an empty park; its first administrator is made with a one-time token
  --park FILE          simulate the park of FILE instead of the demo park
                       (both at the first start: a home goes on with the park that it holds)
  --history-months N   months of history imported at the first start (default 13, 0: none)
  --report-every       gateways report every read, not only changes
  --log-served         the simulator logs every value it serves
Environment: PORT (default 8080, 0: any free one), HOST (default 127.0.0.1), PARKLINE_HOME (default .parkline),
PARKLINE_CACHE (downloads), DATABASE_URL and NATS_URL (existing servers), DEBIAN_MIRROR, NATS_SERVER (path). The cloud is also
told PUBLIC_URL, MAIL_URL, MAIL_FROM, OIDC_ALLOW_HOSTS, WEBHOOK_ALLOW_PRIVATE and RELEASE_PUBLIC_KEY_FILE.
`;

/** @throws StartError naming the option or variable that is wrong. */
export function readOptions(args: readonly string[], env: NodeJS.ProcessEnv, root: string): StartOptions {
  const values = parse(args);
  if (values['no-demo'] && values.park !== undefined)
    throw new StartError('--no-demo starts an empty park, and --park a simulated one: name one of them');
  const park = values['no-demo'] ? undefined : resolve(root, values.park ?? DEMO);
  const months = wholeNumber('--history-months', values['history-months'] ?? '13', 120);
  return {
    home: resolve(root, env['PARKLINE_HOME'] ?? '.parkline'),
    port: wholeNumber('PORT', env['PORT'] ?? '8080', 65_535),
    host: env['HOST'] ?? '127.0.0.1',
    ...withPark(park, root),
    isParkNamed: park === undefined || values.park !== undefined,
    historyMonths: months,
    reportEvery: values['report-every'] ?? false,
    logServed: values['log-served'] ?? false,
    databaseUrl: address('DATABASE_URL', env['DATABASE_URL'], ['postgres:', 'postgresql:']),
    natsUrl: address('NATS_URL', env['NATS_URL'], ['nats:', 'tls:']),
  };
}

const DEMO = 'firmware-sim/parks/demo.yaml';

/** A park, and what comes along with it: beside the demo park there is a second operator's. */
export const withPark = (
  park: string | undefined,
  root: string,
): Pick<StartOptions, 'park' | 'neighbour'> => ({
  park,
  neighbour: park === resolve(root, DEMO) ? resolve(root, 'firmware-sim/parks/riverside.yaml') : undefined,
});

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        'no-demo': { type: 'boolean' },
        park: { type: 'string' },
        'history-months': { type: 'string' },
        'report-every': { type: 'boolean' },
        'log-served': { type: 'boolean' },
      },
    }).values;
  } catch (cause) {
    throw new StartError(`${cause instanceof Error ? cause.message : String(cause)}\n\n${usage}`, { cause });
  }
}

function wholeNumber(name: string, text: string, most: number): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > most)
    throw new StartError(`${name}=${text} is no whole number from 0 to ${most}`);
  return value;
}

/** The value itself stays out of the message: it may hold a password. */
function address(name: string, text: string | undefined, schemes: readonly string[]): string | undefined {
  if (!text) return undefined;
  const url = URL.parse(text);
  if (!url || !schemes.includes(url.protocol))
    throw new StartError(`${name} is no address that begins with ${schemes[0]}//`);
  return text;
}
