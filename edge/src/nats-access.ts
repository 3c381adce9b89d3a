import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import {
  type Authenticator,
  type ConnectionOptions,
  jwtAuthenticator,
  nkeyAuthenticator,
} from '@nats-io/transport-node';

/** Who a gateway is to the message server. */
export interface NatsCredentials {
  /** nkey seed of its user ("SU…"). */
  readonly seed: Uint8Array;
  /** What the authority of the server says of that user; absent where the server knows the key itself. */
  readonly jwt?: string;
}

/** Absolute paths. They are read at every connection, so that renewed files serve the next one. */
export interface TlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

export interface NatsAccess {
  /** `tls://` encrypts from the first byte and shows a certificate; `nats://` is for the own machine. */
  readonly url: string;
  readonly gatewayId: string;
  /** Asked at every connection. @throws Error when the files cannot be read. */
  readonly credentials: () => NatsCredentials;
  readonly tls?: TlsFiles | undefined;
}

/** What `gateway prepare` writes: leads nowhere (RFC 2606), until a claim names the message server. */
export const UNCLAIMED_URL = 'tls://unclaimed.invalid:4222';

/** Files in the home that a claim writes. */
export const NATS_SEED_FILE = 'keys/nats.nk';
export const NATS_JWT_FILE = 'keys/nats.jwt';
const TLS_FILES = { ca: 'keys/ca.crt.pem', cert: 'keys/tls.crt.pem', key: 'keys/tls.key.pem' };

/** Reads who the gateway is. @throws Error when there is no seed, or a file is no such thing. */
export function readNatsCredentials(home: string): NatsCredentials {
  const seed = seedOf(readFileSync(join(home, NATS_SEED_FILE), 'utf8'));
  const jwt = readIfThere(join(home, NATS_JWT_FILE))?.trim();
  if (jwt === undefined) return { seed };
  if (!/^[\w-]+\.[\w-]+\.[\w-]+$/.test(jwt)) throw new TypeError(`${NATS_JWT_FILE} holds no JWT`);
  return { seed, jwt };
}

/** Where the certificates of a gateway are; paths of gateway.yaml count from its home. */
export function tlsFilesOf(home: string, named: Partial<typeof TLS_FILES> = {}): TlsFiles {
  const path = (file: string): string => (isAbsolute(file) ? file : join(home, file));
  const { ca, cert, key } = { ...TLS_FILES, ...named };
  return { caFile: path(ca), certFile: path(cert), keyFile: path(key) };
}

/** What every connection of a gateway has in common. */
export const accessOptions = ({ url, gatewayId, credentials, tls }: NatsAccess): ConnectionOptions => ({
  servers: url.split(','), // A list names the servers of a cluster.
  authenticator: authenticatorOf(credentials),
  inboxPrefix: `_INBOX.${gatewayId}`,
  ...(url.startsWith('tls:') && tls && { tls: { handshakeFirst: true, ...tls } }),
});

/** The server asks at each connection; a key that was changed meanwhile is read anew. */
function authenticatorOf(credentials: () => NatsCredentials): Authenticator {
  return (nonce) => {
    const { seed, jwt } = credentials();
    return (jwt === undefined ? nkeyAuthenticator(seed) : jwtAuthenticator(jwt, seed))(nonce);
  };
}

const seedOf = (text: string): Uint8Array => {
  const seed = /^\s*(SU[A-Z2-7]{56})\s*$/m.exec(text)?.[1];
  if (!seed) throw new TypeError('holds no nkey user seed (SU…)');
  return new TextEncoder().encode(seed);
};

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What the client and TLS say when a connection fails, and what it means to the person at the gateway. First match counts. */
const meanings: readonly (readonly [RegExp, string])[] = [
  [
    /unclaimed\.invalid/,
    'this gateway is not claimed yet, it keeps what it reads: parkline gateway claim joins it to its cloud',
  ],
  [
    /undefined error/i,
    'the message server hung up without a greeting: it expects TLS from the first byte; write tls:// in nats.url',
  ],
  [
    /wrong version number|packet length too long|unexpected response from server/i,
    'the other side does not begin with TLS: write nats:// in nats.url, or turn on handshake_first there',
  ],
  [
    /unable to (verify|get)|self.signed|unknown ca|issuer certificate/i,
    'the certificate is of an authority that the other side does not believe: compare keys/ca.crt.pem with that of the message server, and renew keys/tls.crt.pem',
  ],
  [
    /certificate (has|is) (expired|not yet)|certificate expired|CERT_HAS_EXPIRED|CERT_NOT_YET_VALID/i,
    'a certificate is out of its time: look at the clock of this machine, then renew the certificate',
  ],
  [
    /altnames|does not match/i,
    'the certificate of the message server is for another name: write one of its names in nats.url',
  ],
  [
    /certificate required|handshake failure|bad certificate/i,
    'the message server does not take the certificate of this gateway: renew keys/tls.crt.pem',
  ],
  [/doesn't exist|ENOENT/, 'a file that the connection needs is missing: claim this gateway'],
  [
    /authorization violation|authentication expired|account authentication/i,
    'the message server does not let this gateway in: it was revoked, or its credentials are past their date; claim it again',
  ],
];

/** Why a connection failed, in words that say what to do; the words of the error itself where there are no better ones. */
export function connectFailure(error: unknown): string {
  const own = wordsOf(error);
  const meaning = meanings.find(([pattern]) => pattern.test(own))?.[1];
  return meaning === undefined ? own : `${meaning} (${own})`;
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code } = error as NodeJS.ErrnoException;
  const own =
    code !== undefined && !error.message.includes(code) ? `${error.message}, ${code}` : error.message;
  return error.cause instanceof Error && error.cause.message !== error.message
    ? `${own}: ${wordsOf(error.cause)}`
    : own;
}
