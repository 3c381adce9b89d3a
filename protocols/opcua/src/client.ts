import type { DriverLog } from '@parkline/kit';
import type { OPCUAClient } from 'node-opcua-client';
import type { Library } from './convert.ts';
import { type Identity, keepIdentity } from './identity.ts';
import type { Dial } from './link.ts';
import { loginOf } from './login.ts';
import { type ConnectionParams } from './params.ts';
import { createSessionLink } from './session.ts';
import { explain } from './trouble.ts';
import { createTrustStore, type TrustStore } from './trust.ts';
import { within } from './wait.ts';

export interface DialDeps {
  readonly params: ConnectionParams;
  readonly dataDir: string;
  readonly where: string;
  readonly now: () => number;
  readonly log: DriverLog;
}

/** Pause between two tries to mend a broken link, ms. */
const MEND_PAUSE_MS = { initialDelay: 200, maxDelay: 2_000, randomisationFactor: 0.3, maxRetry: 1 };
/** A silent link is asked for a sign of life this often, ms; without one it is broken off and mended. */
const KEEP_ALIVE_MS = 5_000;
/** The server keeps the session of a broken link this long, ms. */
const SESSION_MS = 60_000;
/** The library refuses to time out sooner, ms; whoever waits for an answer has a time-out of its own. */
const LIBRARY_TIMEOUT_MS = 5_000;

/** Opens sessions with the server of `params`. */
export function createDial(deps: DialDeps): Dial {
  const { params, where, log } = deps;
  let isWarned = false;

  return async (onGone, signal) => {
    const library = await loadLibrary(log);
    const identity = await keepIdentity(deps.dataDir, library.crypto_utils);
    const login = await loginOf(deps, library);
    if (params.securityMode === 'None' && !isWarned) {
      isWarned = true;
      log.warn({ where }, 'security is waived: values of this server can be read and forged on the network');
    }
    const expected = params.securityMode === 'None' ? 'any' : params.serverFingerprint;
    const trust = createTrustStore(expected, identity.certificate, {
      good: library.StatusCodes.Good,
      untrusted: library.StatusCodes.BadCertificateUntrusted,
    });
    const client = library.OPCUAClient.create(clientOptions(library, params, identity, trust));
    try {
      const opening = client.connect(params.endpointUrl).then(() => client.createSession(login));
      const timeoutMs = params.timeoutMs * 3;
      const session = await within(opening, { signal, timeoutMs, where, what: 'connection' });
      const link = await createSessionLink({ ...deps, library, client, session, onGone });
      log.info({ where, gateway: identity.fingerprint }, 'opc ua session opened');
      return link;
    } catch (error) {
      void client.disconnect().catch(() => undefined); // It is of no more use, whatever it says.
      throw explain(error, { where, params, identity, refusal: trust.refusal });
    }
  };
}

/**
 * A client for questions that are asked before anybody is trusted. It shows the gateway's own certificate: without one the
 * library would make a second, somewhere in the home of whoever runs it.
 */
export async function openlyClient({ params, dataDir, log }: DialDeps): Promise<OPCUAClient> {
  const library = await loadLibrary(log);
  const identity = await keepIdentity(dataDir, library.crypto_utils);
  const trust = createTrustStore('any', identity.certificate, {
    good: library.StatusCodes.Good,
    untrusted: library.StatusCodes.BadCertificateUntrusted,
  });
  const open = { ...params, securityMode: 'None', securityPolicy: 'None' } as const;
  return library.OPCUAClient.create(clientOptions(library, open, identity, trust));
}

function clientOptions(
  library: Library,
  { securityMode, securityPolicy, timeoutMs }: ConnectionParams,
  { certificate, privateKeyPem, applicationUri }: Identity,
  trust: TrustStore<unknown>,
) {
  const privateKey = library.crypto_utils.makePrivateKeyFromPem(privateKeyPem);
  return {
    applicationName: 'Parkline gateway',
    applicationUri,
    clientName: 'parkline',
    securityMode: library.MessageSecurityMode[securityMode],
    securityPolicy: library.SecurityPolicy[securityPolicy],
    certificateKeyPairProvider: {
      getCertificate: () => certificate,
      getCertificateChain: () => [certificate],
      getPrivateKey: () => privateKey,
    },
    clientCertificateManager: trust as never, // Its type is the library's own, with the same members.
    endpointMustExist: false, // Behind an address translation the server's own name is another.
    connectionStrategy: MEND_PAUSE_MS,
    keepSessionAlive: true,
    keepAliveInterval: KEEP_ALIVE_MS,
    requestedSessionTimeout: SESSION_MS,
    defaultTransactionTimeout: Math.max(LIBRARY_TIMEOUT_MS, timeoutMs),
    transportTimeout: Math.max(LIBRARY_TIMEOUT_MS, timeoutMs) * 3,
  };
}

let loading: Promise<Library> | undefined;

/** Loads the library once; what it would print goes to the log of the connection that came first. */
export function loadLibrary(log: DriverLog): Promise<Library> {
  loading ??= import('node-opcua-client').then((library) => {
    const note = (...words: unknown[]): void =>
      log.debug(
        {
          said: words
            .filter((word) => typeof word === 'string')
            .join(' ')
            .slice(0, 500),
        },
        'opc ua library',
      );
    library.setDebugLogger(note);
    library.setWarningLogger(note);
    library.setErrorLogger(note);
    return library;
  });
  return loading;
}
