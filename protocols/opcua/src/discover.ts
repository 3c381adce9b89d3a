import { DriverError, type FoundDevice } from '@parkline/kit';
import type { EndpointDescription } from 'node-opcua-client';
import { type DialDeps, loadLibrary, openlyClient } from './client.ts';
import type { Library } from './convert.ts';
import { fingerprintOf } from './trust.ts';
import { within } from './wait.ts';

/**
 * Asks a server how it can be reached (GetEndpoints, OPC UA Part 4, 5.5.4). That question is asked without encryption, which is
 * why the fingerprint it brings must be compared with the server's own display before it is trusted.
 */
export async function* discover(deps: DialDeps, signal: AbortSignal): AsyncGenerator<FoundDevice> {
  const { params, where, log } = deps;
  const library = await loadLibrary(log);
  const client = await openlyClient(deps);
  try {
    const asking = client.connect(params.endpointUrl).then(() => client.getEndpoints());
    const timeoutMs = params.timeoutMs * 3;
    const endpoints = await within(asking, { signal, timeoutMs, where, what: 'list of endpoints' });
    yield* serversOf(endpoints, library);
  } catch (error) {
    if (error instanceof DriverError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new DriverError('lost', `the server does not say how it can be reached: ${message}`, where, {
      cause: error,
    });
  } finally {
    void client.disconnect().catch(() => undefined); // It is of no more use, whatever it says.
  }
}

/** One entry for each certificate that is shown: two servers may share an address. */
function* serversOf(endpoints: readonly EndpointDescription[], library: Library): Generator<FoundDevice> {
  const byServer = Map.groupBy(endpoints, ({ serverCertificate }) =>
    serverCertificate.length > 0 ? fingerprintOf(serverCertificate) : '',
  );
  for (const [fingerprint, offers] of byServer) {
    const [first] = offers as [EndpointDescription];
    const logins = offers.flatMap(({ userIdentityTokens }) =>
      (userIdentityTokens ?? []).map(({ tokenType }) => loginNames[library.UserTokenType[tokenType]] ?? ''),
    );
    yield {
      params: {},
      label: first.server.applicationName.text ?? first.server.applicationUri ?? first.endpointUrl ?? '',
      facts: {
        ...(fingerprint !== '' && { fingerprint }),
        endpoint: first.endpointUrl ?? '',
        security: listed(offers.map((offer) => securityOf(offer, library))),
        login: listed(logins),
        application: first.server.applicationUri ?? '',
      },
    };
  }
}

const loginNames: Readonly<Record<string, string>> = {
  Anonymous: 'anonymous',
  UserName: 'user name',
  Certificate: 'certificate',
  IssuedToken: 'token',
};

/** 'Basic256Sha256 SignAndEncrypt'. */
function securityOf({ securityPolicyUri, securityMode }: EndpointDescription, library: Library): string {
  const policy = securityPolicyUri?.split('#')[1] ?? 'None';
  return policy === 'None' ? 'None' : `${policy} ${library.MessageSecurityMode[securityMode]}`;
}

const listed = (words: readonly string[]): string => [...new Set(words.filter(Boolean))].sort().join(', ');
