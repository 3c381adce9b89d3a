import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { ReleaseVersion } from '@parkline/contract';
import type { Command } from 'commander';
import { Value } from 'typebox/value';
import { RELEASE_KEY_FILE } from '../config/load.ts';
import { installFirst } from '../update/install.ts';
import { packRelease, unpackRelease } from '../update/pack.ts';
import { parseReleaseFile, readManifest, readPublicKeys, releaseId } from '../update/release-file.ts';
import { scratchFolder } from '../update/scratch.ts';
import { exit, gatewayHome, type Io, readArgument, UsageError } from './io.ts';

/** `parkline release`: makes, signs, checks and installs releases of the gateway's program. */
export function register(program: Command, io: Io): void {
  const release = program.command('release').description('releases of the program of gateways');
  release
    .command('keygen')
    .description('make the key that signs releases; keep the private one away from every server')
    .argument('<folder>', 'gets release.key.pem and release.pub.pem')
    .action((folder: string) => {
      keygen(io, folder);
    });
  registerSign(release, io);
  release
    .command('verify')
    .description('check a release file: signature, every hash, what it says of itself')
    .argument('<file>', 'release file')
    .requiredOption('--key <file>', 'public key of those who make releases (PEM)')
    .option('--json', 'print the manifest as JSON')
    .action((file: string, options: { key: string; json?: true }) => {
      verifyFile(io, file, options);
    });
  release
    .command('install')
    .description('put the first release into the home of a gateway')
    .argument('<file>', 'release file')
    .requiredOption(
      '--key <file>',
      'public key of those who make releases (PEM); the gateway believes it from now on',
    )
    .option('--home <dir>', "the gateway's home; also PARKLINE_GATEWAY_HOME")
    .action((file: string, options: { key: string; home?: string }) => {
      install(io, file, options);
    });
}

interface SignOptions {
  readonly key: string;
  readonly out: string;
  readonly releaseVersion?: string;
  readonly platforms: string;
  readonly minNode: string;
  readonly min?: string;
  readonly max?: string;
  readonly downgradeFrom: string[];
  readonly madeAt?: string;
}

function registerSign(release: Command, io: Io): void {
  release
    .command('sign')
    .description('make the release file of a bundle')
    .argument('<bundle>', 'folder that deploy/scripts/bundle-gateway.ts made')
    .requiredOption('--key <file>', 'private release key (PEM)')
    .requiredOption('--out <file>', 'release file to write')
    .option('--release-version <version>', 'version; that of the bundle when left out')
    .option('--platforms <list>', 'platforms, separated by commas', 'linux-x64,linux-arm64')
    .option('--min-node <version>', 'oldest Node.js', '24.7.0')
    .option('--min <version>', 'oldest version that it may replace')
    .option('--max <version>', 'newest version that it may replace')
    .option('--downgrade-from <version>', 'newer version that it may replace; may be repeated', collect, [])
    .option('--made-at <time>', 'ISO 8601; SOURCE_DATE_EPOCH, else the present, when left out')
    .addHelpText(
      'after',
      `
Example:
  node deploy/scripts/bundle-gateway.ts --out dist/gateway --release-version 1.4.0
  parkline release sign dist/gateway --key release.key.pem --out parkline-gateway-1.4.0.release`,
    )
    .action((folder: string, options: SignOptions) => {
      sign(io, folder, options);
    });
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

function keygen(io: Io, folder: string): void {
  const to = resolve(io.cwd, folder);
  const [keyPath, publicPath] = [join(to, 'release.key.pem'), join(to, 'release.pub.pem')];
  for (const path of [keyPath, publicPath])
    if (existsSync(path)) throw new UsageError(`${path} is there already: releases are signed with it`);
  mkdirSync(to, { recursive: true, mode: 0o700 });
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  writeFileSync(keyPath, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' });
  writeFileSync(publicPath, publicKey.export({ type: 'spki', format: 'pem' }), { flag: 'wx' });
  io.out(`${publicPath}\n`);
  io.err(`${keyPath} signs releases: keep it off every server, in two places\n`);
}

function sign(io: Io, folder: string, options: SignOptions): void {
  const bundle = resolve(io.cwd, folder);
  const version = options.releaseVersion ?? versionOf(bundle);
  const all = [version, options.minNode, options.min, options.max, ...options.downgradeFrom];
  for (const one of all)
    if (one !== undefined && !Value.Check(ReleaseVersion, one))
      throw new UsageError(`${one} is no version: write 1.4.0, or 1.5.0-rc.1`);
  const file = packRelease(
    bundle,
    {
      ...{ version, platforms: options.platforms.split(','), minNode: options.minNode },
      predecessor: { min: options.min ?? null, max: options.max ?? null },
      downgradeFrom: options.downgradeFrom,
      madeAt: madeAt(io, options.madeAt),
    },
    privateKey(io, options.key),
  );
  writeFileSync(resolve(io.cwd, options.out), file);
  io.out(`${releaseId(parseReleaseFile(file).signed)}  ${version}  ${options.out}\n`);
}

function versionOf(bundle: string): string {
  const path = join(bundle, 'package.json');
  if (!existsSync(path)) throw new UsageError(`${bundle} is no bundle: it has no package.json`);
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}

function madeAt({ env }: Io, text: string | undefined): number {
  const epoch = env['SOURCE_DATE_EPOCH'];
  const at = text !== undefined ? Date.parse(text) : epoch ? Number(epoch) * 1_000 : Date.now();
  if (!Number.isSafeInteger(at) || at < 0) throw new UsageError(`--made-at ${text ?? epoch}: write ISO 8601`);
  return at;
}

function privateKey(io: Io, path: string): KeyObject {
  const key = createPrivateKey(readArgument(io, path));
  if (key.asymmetricKeyType !== 'ed25519')
    throw new UsageError(`${path} is ${key.asymmetricKeyType}, an Ed25519 key is needed`);
  return key;
}

function verifyFile(io: Io, path: string, { key, json }: { key: string; json?: true }): void {
  const { signed, pack } = parseReleaseFile(readArgument(io, path));
  const checked = readManifest(signed, readPublicKeys(readArgument(io, key).toString('utf8')));
  if (!checked.ok) {
    io.err(
      `${path}: ${checked.why === 'signature' ? 'this key did not sign it' : 'its manifest is not readable'}\n`,
    );
    process.exitCode = exit.failed;
    return;
  }
  const { manifest } = checked;
  using folder = scratchFolder();
  unpackRelease(pack, manifest, folder.path);
  const { version, platforms, contentSha256, files, madeAt: at } = manifest;
  if (json) io.out(`${JSON.stringify({ id: releaseId(signed), ...manifest })}\n`);
  else
    io.out(
      `${releaseId(signed)}  ${version}  ${platforms.join(',')}  ${files.length} files  content ${contentSha256}  made ${new Date(at).toISOString()}\n`,
    );
}

function install(io: Io, path: string, options: { key: string; home?: string }): void {
  const home = gatewayHome(io, options.home);
  const pem = readArgument(io, options.key).toString('utf8');
  const version = installFirst(home, readArgument(io, path), {
    keys: readPublicKeys(pem),
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
  });
  const trusted = join(home, RELEASE_KEY_FILE);
  mkdirSync(dirname(trusted), { recursive: true, mode: 0o700 });
  writeFileSync(trusted, pem, { mode: 0o644 });
  io.out(`${version}\n`);
  io.err(`start it with: node ${join(home, 'program', 'launcher.mjs')} --home ${home}\n`);
}
