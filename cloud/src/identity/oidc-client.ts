import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  customFetch,
  discovery,
  enableNonRepudiationChecks,
  type IDToken,
  None,
  randomNonce,
  randomPKCECodeVerifier,
  randomState,
  type ServerMetadata,
} from 'openid-client';
import { badField } from '../platform/errors.ts';
import type { createGuardedFetch } from '../platform/outbound.ts';

/** What is known of a client at a provider; `secret` absent: PKCE alone. */
export interface OidcClientFacts {
  readonly issuer: string;
  readonly clientId: string;
  readonly secret?: string | undefined;
}

/** What goes to the provider and what stays here to hold its answer against. */
export interface AuthorizationRequest {
  readonly url: URL;
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** How long a provider may think. */
const PATIENCE_S = 10;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** How a provider is asked: what an administrator typed leads to public addresses, and to those that the operator named. */
export type ProviderFetch = ReturnType<typeof createGuardedFetch>;

/**
 * Reads what the provider says of itself; whatever it names is asked in the same guarded way. Its address is https, or http
 * on this machine. @throws AppError 'bad_input' on `body.issuer` when it is none that can be asked.
 */
export async function discover(
  { issuer, clientId, secret }: OidcClientFacts,
  fetchOut: ProviderFetch,
): Promise<Configuration> {
  const url = new URL(issuer);
  const isPlain = url.protocol === 'http:';
  if (isPlain && !LOOPBACK.has(url.hostname)) throw badField('body.issuer', issuerWords.https);
  const ways = isPlain ? [allowInsecureRequests] : [];
  const found = await discovery(url, clientId, undefined, None(), {
    execute: ways,
    timeout: PATIENCE_S,
    [customFetch]: fetchOut,
  }).catch((cause: unknown) => {
    // The same words whether there is nothing, something else, or an inner address that is nobody's business.
    throw badField('body.issuer', issuerWords.silent, { cause });
  });
  const metadata = found.serverMetadata();
  const config = new Configuration(metadata, clientId, undefined, authenticationOf(metadata, secret));
  config.timeout = PATIENCE_S;
  config[customFetch] = fetchOut;
  for (const way of ways) way(config);
  // The signature is checked, although the token comes straight from the provider.
  enableNonRepudiationChecks(config);
  return config;
}

/** What the provider accepts; basic where it does not say (OpenID Connect Discovery 1.0 clause 3). */
function authenticationOf(metadata: ServerMetadata, secret: string | undefined) {
  if (secret === undefined) return None();
  const accepted = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  return accepted.includes('client_secret_basic') ? ClientSecretBasic(secret) : ClientSecretPost(secret);
}

const issuerWords = {
  https: { en: 'must begin with https://', zh: '须以 https:// 开头' },
  silent: {
    en: 'does not answer as an identity provider at a public address',
    zh: '该地址未以公网身份提供方的方式应答',
  },
};

/** Code flow with PKCE (S256), state and nonce. */
export async function authorizationRequest(
  config: Configuration,
  redirectUri: string,
): Promise<AuthorizationRequest> {
  const [state, nonce, codeVerifier] = [randomState(), randomNonce(), randomPKCECodeVerifier()];
  const url = buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid email profile',
    ...{ state, nonce, code_challenge_method: 'S256' },
    code_challenge: await calculatePKCECodeChallenge(codeVerifier),
  });
  return { url, state, nonce, codeVerifier };
}

/**
 * Trades the code for what the provider says of the person. Checked: state, iss of the answer, redirect, PKCE, and of the
 * token signature, issuer, audience, times and nonce.
 * @throws whatever openid-client refuses with.
 */
export async function claimsOf(
  config: Configuration,
  answer: URL,
  request: Omit<AuthorizationRequest, 'url'>,
): Promise<IDToken> {
  const tokens = await authorizationCodeGrant(config, answer, {
    expectedState: request.state,
    expectedNonce: request.nonce,
    pkceCodeVerifier: request.codeVerifier,
    idTokenExpected: true,
  });
  const claims = tokens.claims();
  if (!claims) throw new Error('the provider sent no ID token');
  return claims;
}
