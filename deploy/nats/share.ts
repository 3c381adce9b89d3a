import { join } from 'node:path';
import { connect, credsAuthenticator, type TlsOptions } from '@nats-io/transport-node';
import { UPLINK_STREAM } from '@parkline/contract';
import { creds } from '../../cloud/src/provisioning/authority.ts';
import { giveShares, type ShareOutcome } from '../../cloud/src/telemetry/uplink-share.ts';
import { MOST_OF_ONE } from '../../cloud/src/telemetry/uplink-stream.ts';
import { readIfThere } from '../local/files.ts';
import { offlineFiles, TrustError, type TrustFolders } from './trust.ts';

const USER = 'share';
/** No process of the cloud may change the stream: this user is made for the moment, and never written down. */
const permissions = {
  pub: {
    allow: ['$JS.API.INFO', ...['INFO', 'UPDATE'].map((verb) => `$JS.API.STREAM.${verb}.${UPLINK_STREAM}`)],
  },
  sub: { allow: [`_INBOX.${USER}.>`] },
};

/**
 * Gives a stream of an earlier version its shares.
 * @param url of a server, or of several, separated by commas.
 * @throws TrustError when the seed of CORE is not here; Error when the server cannot be reached, or the stream is not safe to change.
 */
export async function shareStream(
  { offline }: Pick<TrustFolders, 'offline'>,
  url: string,
  tls?: TlsOptions,
): Promise<ShareOutcome> {
  const file = join(offline, offlineFiles.core);
  const seed = await readIfThere(file);
  if (seed === undefined)
    throw new TrustError(`${file} is not here: bring the folder back from its safe, then run this again`);
  const text = await creds(seed, USER, permissions);
  const nats = await connect({
    servers: url.split(','),
    authenticator: credsAuthenticator(new TextEncoder().encode(text)),
    ...{ name: 'parkline nats share', inboxPrefix: `_INBOX.${USER}`, reconnect: false },
    ...(tls && { tls: { ...tls, handshakeFirst: true } }),
  });
  try {
    return await giveShares(nats);
  } finally {
    await nats.close();
  }
}

export function shareWords(outcome: ShareOutcome): string {
  if (outcome.what === 'none')
    return 'there is no stream yet: ingest makes it, with a share for every gateway';
  if (outcome.what === 'kept') return `every gateway has its share already: ${MOST_OF_ONE} unread messages`;
  const given = `every gateway has its share: ${outcome.share} unread messages`;
  return outcome.share > MOST_OF_ONE
    ? `${given}, as many as one of them has; run this again when they are read`
    : given;
}
