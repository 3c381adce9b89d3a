import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  coreAccountJwt,
  coreCreds,
  type CoreUser,
  coreUsers,
  firstEdgeAccountJwt,
  gatewayJwt,
  hasSameClaims,
  isCurrentCreds,
  isCurrentSysCreds,
  newOfflineSeeds,
  newOnlineSeeds,
  type OfflineSeeds,
  type OnlineSeeds,
  operatorJwt,
  type Parties,
  partiesOf,
  sysAccountJwt,
  sysCreds,
  USER_LIFE_MS,
} from '../../cloud/src/provisioning/authority.ts';
import { provisionerFiles } from '../../cloud/src/provisioning/authority-keys.ts';
import type { Identity } from '../../cloud/src/provisioning/pki.ts';
import { readIfThere, readOrMake, writeWhole } from '../local/files.ts';
import type { GatewayUser, ServerTrust } from './render.ts';

/** Folders of one park's trust, by who may read them. */
export interface TrustFolders {
  /** Seeds of the operator and the accounts: to a safe, once everything is made. */
  readonly offline: string;
  /** Keys of the provisioner. */
  readonly provisioner: string;
  /** Credentials of the cloud's other processes. */
  readonly cloud: string;
  /** Public: what servers preload. */
  readonly accounts: string;
}

export const trustFolders = (folder: string): TrustFolders => ({
  offline: join(folder, 'offline'),
  provisioner: join(folder, 'provisioner'),
  cloud: join(folder, 'cloud'),
  accounts: join(folder, 'accounts'),
});

/** One park's operator, accounts, users and certificate authority. */
export interface Trust {
  readonly folders: TrustFolders;
  readonly parties: Parties;
  readonly seeds: OnlineSeeds;
  readonly server: ServerTrust;
  readonly authority: Identity;
}

/**
 * Reads the trust of a park; what is missing is made, what is there stays. Users of the cloud whose permissions an update
 * changed get new credentials, and accounts that it changed get new JWTs, which servers take over at their next start.
 * @throws TrustError when seeds of a park that is there already are elsewhere.
 */
export async function openTrust(folder: string, now: Date): Promise<Trust> {
  const folders = trustFolders(folder);
  for (const path of [folder, ...Object.values(folders)] as string[])
    await mkdir(path, { recursive: true, mode: 0o700 });
  const file = (name: string): string => join(folders.provisioner, name);
  const known = await readIfThere(file(provisionerFiles.parties));
  if (known !== undefined) await assertSeedsAreHere(folders);
  const offline = await keepSeeds(folders.offline, offlineFiles, newOfflineSeeds);
  const seeds = await keepSeeds(folders.provisioner, onlineFiles, newOnlineSeeds);
  const parties = partiesOf(offline, seeds);
  await writeWhole(file(provisionerFiles.parties), `${JSON.stringify(parties, null, 2)}\n`);
  await keepCurrent(file(provisionerFiles.creds), {
    isCurrent: (text) => isCurrentSysCreds(text, parties),
    make: () => sysCreds(offline.sys, parties),
  });
  await Promise.all(Object.keys(coreUsers).map((user) => keepUser(folders, offline, user as CoreUser)));
  const authority = await keepAuthority(folders, now);
  return { folders, parties, seeds, authority, server: await keepAccounts(folders, offline, seeds, parties) };
}

/** The trust of a park cannot be read as it is; the message says what to bring. */
export class TrustError extends Error {
  override readonly name = 'TrustError';
}

/** New seeds in the place of some that lie in a safe would be another park, which no gateway believes. */
async function assertSeedsAreHere({ offline }: TrustFolders): Promise<void> {
  for (const name of Object.values(offlineFiles))
    if ((await readIfThere(join(offline, name))) === undefined)
      throw new TrustError(
        `${join(offline, name)} is not here: bring the folder back from its safe, then run this again`,
      );
}

/** Credentials of a gateway of this machine, for as long as those that it would get by a claim. */
export const letIn = (
  { seeds, parties }: Trust,
  { id, publicNkey }: GatewayUser,
  now: Date,
): Promise<string> =>
  gatewayJwt(seeds.edgeSigning, parties, { id, nkey: publicNkey }, new Date(now.getTime() + USER_LIFE_MS));

export const offlineFiles: Readonly<Record<keyof OfflineSeeds, string>> = {
  operator: 'operator.nk',
  sys: 'sys.nk',
  core: 'core.nk',
  edge: 'edge.nk',
};
const onlineFiles: Readonly<Record<keyof OnlineSeeds, string>> = {
  operatorSigning: provisionerFiles.operatorSigning,
  edgeSigning: provisionerFiles.edgeSigning,
};

async function keepSeeds<K extends string>(
  folder: string,
  files: Readonly<Record<K, string>>,
  make: () => Readonly<Record<K, string>>,
): Promise<Record<K, string>> {
  const fresh = make();
  const seeds: Record<K, string> = { ...fresh };
  for (const name of Object.keys(files) as K[])
    seeds[name] = (await readOrMake(join(folder, files[name]), () => `${fresh[name]}\n`)).trim();
  return seeds;
}

/** Where a user of the cloud finds its credentials. */
export const credsFile = ({ cloud }: TrustFolders, user: CoreUser): string => join(cloud, `${user}.creds`);

async function keepUser(folders: TrustFolders, { core }: OfflineSeeds, user: CoreUser): Promise<void> {
  await keepCurrent(credsFile(folders, user), {
    isCurrent: (text) => isCurrentCreds(text, user),
    make: () => coreCreds(core, user),
  });
}

/** Credentials stay while they are what an update wants them to be. */
async function keepCurrent(
  file: string,
  { isCurrent, make }: { isCurrent(text: string): boolean; make(): Promise<string> },
): Promise<void> {
  const known = await readIfThere(file);
  if (known === undefined || !isCurrent(known)) await writeWhole(file, await make());
}

/** The key of the authority is made together with its certificate: one without the other is made anew. */
async function keepAuthority({ provisioner }: TrustFolders, now: Date): Promise<Identity> {
  const [keyFile, file] = [
    join(provisioner, provisionerFiles.authorityKey),
    join(provisioner, provisionerFiles.authority),
  ];
  const [keyPem, certificatePem] = [await readIfThere(keyFile), await readIfThere(file)];
  if (keyPem !== undefined && certificatePem !== undefined) return { keyPem, certificatePem };
  const { newAuthority } = await import('../../cloud/src/provisioning/pki.ts'); // Slow to load, and needed once.
  const made = await newAuthority('Parkline message server authority', now);
  await writeWhole(keyFile, made.keyPem);
  await writeWhole(file, made.certificatePem, 0o644);
  return made;
}

async function keepAccounts(
  { accounts }: TrustFolders,
  offline: OfflineSeeds,
  { operatorSigning }: OnlineSeeds,
  parties: Parties,
): Promise<ServerTrust> {
  const operator = await keepClaims(
    join(accounts, 'operator.jwt'),
    await operatorJwt(offline.operator, parties),
  );
  const sys = await keepClaims(join(accounts, 'SYS.jwt'), await sysAccountJwt(operatorSigning, parties));
  const core = await keepClaims(join(accounts, 'CORE.jwt'), await coreAccountJwt(operatorSigning, parties));
  // Not made anew after the first time: a later date would push aside the list of revoked gateways that servers keep.
  // The provisioner hands over its present form, with the list, whenever it starts.
  const edge = await keep(join(accounts, 'EDGE.jwt'), () => firstEdgeAccountJwt(operatorSigning, parties));
  return {
    operatorJwt: operator,
    sys: parties.sys,
    accounts: { [parties.sys]: sys, [parties.core]: core, [parties.edge]: edge.trim() },
  };
}

/** The JWT in the file if it says the same, else the fresh one, which is kept. */
async function keepClaims(file: string, fresh: string): Promise<string> {
  const known = (await readIfThere(file))?.trim();
  if (known !== undefined && hasSameClaims(known, fresh)) return known;
  await writeWhole(file, `${fresh}\n`, 0o644);
  return fresh;
}

/** The text of a file; `make` writes its first version. */
async function keep(file: string, make: () => Promise<string>): Promise<string> {
  const known = await readIfThere(file);
  if (known !== undefined) return known;
  const fresh = await make();
  return readOrMake(file, () => fresh);
}
