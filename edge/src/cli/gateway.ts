import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { generateKeyPairSync } from 'node:crypto';
import type { Command } from 'commander';
import { stringify } from 'yaml';
import { systemWait } from '../base/clock.ts';
import { realDisk } from '../base/disk.ts';
import { asJson, progress } from '../bench/run.ts';
import { type Claimed, claimGateway } from '../identity/claim.ts';
import { CloudError, createCloudClient } from '../identity/cloud-client.ts';
import { makeKeys } from '../identity/keys.ts';
import { openIdentityStore } from '../identity/store.ts';
import { UNCLAIMED_URL } from '../nats-access.ts';
import { createUuidV7 } from '../points/ids.ts';
import { register as registerDoctor } from './doctor.ts';
import { exit, type Io, readArgument, UsageError } from './io.ts';

interface ClaimOptions {
  readonly url: string;
  readonly codeFile: string;
  readonly pin?: string;
  readonly ca?: string;
  readonly home?: string;
  readonly json?: true;
}

interface PrepareOptions {
  readonly home?: string;
  readonly name: string;
  readonly site: string;
  readonly timezone: string;
}

/** `parkline gateway`, what of it is done on the gateway itself; the rest belongs to the cloud. */
export function register(program: Command, io: Io): void {
  const gateway =
    program.commands.find((one) => one.name() === 'gateway') ??
    program.command('gateway').description('gateways: join one to its cloud, look after those of a park');
  const home = ['--home <dir>', "the gateway's home; also PARKLINE_GATEWAY_HOME"] as const;
  gateway
    .command('prepare')
    .description('make a home for a gateway that is mapped and read before it has a cloud')
    .requiredOption('--name <name>', 'what it is called')
    .requiredOption('--site <key>', 'site that it stands on: a claim for another one is refused')
    .option('--timezone <zone>', 'IANA zone of the site', 'UTC')
    .option(...home)
    .action((options: PrepareOptions) => {
      prepare(io, options);
    });
  gateway
    .command('claim')
    .description('join this gateway to its cloud with a one-time code')
    .requiredOption('--url <cloud>', 'address of the cloud, https://')
    .requiredOption('--code-file <path>', 'file with the one-time code, - for standard input')
    .option('--pin <pin>', 'sha256/BASE64 of the key of the server certificate: it must be this one')
    .option(
      '--ca <file>',
      'PEM of the authority that signed the server certificate, in place of the usual ones',
    )
    .option(...home)
    .option('--json', 'print one JSON document')
    .addHelpText('after', examples)
    .action((options: ClaimOptions) => claim(io, options));
  registerDoctor(gateway, io); // Looked for here as often as by itself.
}

const examples = `
Examples:
  parkline gateway claim --url https://cloud.example.com --code-file code.txt --home /var/lib/parkline
  printf %s "$CODE" | parkline gateway claim --url https://10.0.0.5 --code-file - --pin sha256/… --home /var/lib/parkline

The keys are made here and never leave. Interrupted at any point, the same command goes on with the same keys; a gateway that runs
takes the new identity by itself. Exit code 0: joined, or it was already; 1: refused, or the cloud was not reached; 2: wrong use;
3: the cloud has taken the keys and has not signed for them yet: run the same command again.`;

async function claim(io: Io, options: ClaimOptions): Promise<void> {
  const home = homeOf(io, options.home);
  const shown = progress(io);
  try {
    const ca = options.ca === undefined ? undefined : readArgument(io, options.ca).toString('utf8');
    const cloud = createCloudClient({ url: options.url, pin: options.pin, ca });
    const code = readArgument(io, options.codeFile).toString('utf8').trim();
    const store = openIdentityStore(home, realDisk);
    const deps = { home, store, cloud, wait: systemWait, show: shown.show };
    const claimed = await claimGateway(deps, { code, cloudUrl: options.url }, new AbortController().signal);
    shown.clear();
    tell(io, claimed, options);
  } catch (error) {
    shown.clear();
    if (!(error instanceof CloudError)) throw error;
    if (error.code === 'wrong_use') throw new UsageError(error.message);
    if (options.json) io.out(asJson({ state: error.code, why: error.why ?? null, message: error.message }));
    io.err(`${error.message}\n`);
    process.exitCode = exit.failed;
  }
}

function tell(io: Io, claimed: Claimed, { json }: ClaimOptions): void {
  if (claimed.state === 'unsigned') process.exitCode = exit.partial;
  if (json) return io.out(asJson(claimed));
  const { gatewayId } = claimed;
  if (claimed.state === 'unsigned')
    return io.err(`${gatewayId}: the keys are accepted and not signed yet; run the same command again\n`);
  if (claimed.state === 'already') return io.out(`${gatewayId} was joined with this code already\n`);
  const { site, expiresAt } = claimed;
  io.out(`${gatewayId} joined ${site}; its credentials hold until ${expiresAt} and renew themselves\n`);
  io.err(
    'next: run it, and ask parkline doctor; what is mapped here is taken over with parkline gateway mapping\n',
  );
}

/** The home may be made by the claim. @throws UsageError when nobody names one. */
function homeOf({ env, cwd }: Io, named: string | undefined): string {
  const home =
    named ?? env['PARKLINE_GATEWAY_HOME'] ?? (existsSync(join(cwd, 'gateway.yaml')) ? cwd : undefined);
  if (home === undefined)
    throw new UsageError('which gateway? Name its home with --home DIR, or set PARKLINE_GATEWAY_HOME');
  return resolve(cwd, home);
}

/** Keys to sign with from the first reading on, and a cloud key whose private half nobody has: nothing is believed until a claim. */
function prepare(io: Io, { home: named, name, site, timezone }: PrepareOptions): void {
  const home = homeOf(io, named);
  const yaml = join(home, 'gateway.yaml');
  if (existsSync(yaml)) throw new UsageError(`${yaml} is there already: this home is prepared`);
  mkdirSync(join(home, 'keys'), { recursive: true, mode: 0o700 });
  const keys = makeKeys();
  const nobody = generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const gatewayId = createUuidV7(Date.now());
  const config = {
    version: 1,
    gatewayId,
    name,
    site,
    timezone,
    nats: { url: UNCLAIMED_URL },
    connections: [],
  };
  for (const [file, text] of [
    ['keys/signing.pem', keys.signing],
    ['keys/nats.nk', `${keys.nkeySeed}\n`],
    ['keys/cloud.pub.pem', nobody],
    ['gateway.yaml', stringify(config)],
  ] as const)
    realDisk.replace(join(home, file), text);
  io.out(`${name} is prepared for ${site} in ${home}\n`);
  io.err(
    'map devices now (parkline template try, parkline points import), run it, and claim it when there is a cloud\n',
  );
}
