import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { base64url, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** Who logs in at the provider, and what the provider does wrong. */
export interface Behaviour {
  /** Claims beside iss, aud, exp, iat and nonce; `sub` at least. */
  claims: JWTPayload & { sub: string };
  /** Put over the right claims of the token. */
  lies?: JWTPayload;
  /** 'none': unsigned; 'foreign': signed with a key that is not in its JWKS. */
  signature?: 'none' | 'foreign';
  /** `iss` of the answer to the browser; absent: its own. */
  answersAs?: string;
  /** Where the token and its keys are to be had; absent: here. */
  endpoints?: { readonly token_endpoint?: string; readonly jwks_uri?: string };
}

/** An identity provider (OpenID Connect Core 1.0, code flow, PKCE S256) for one client, which approves everybody at once. */
export interface IdentityProviderServer {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  behaviour: Behaviour;
  /** Token requests it refused, with the reason. */
  readonly refusals: string[];
  stop(): Promise<void>;
}

interface Grant {
  readonly redirectUri: string;
  readonly challenge: string;
  readonly nonce: string;
  readonly clientId: string;
}

/** `redirectUri` is compared letter by letter. */
export async function startIdentityProvider(redirectUri: string): Promise<IdentityProviderServer> {
  const own = await generateKeyPair('RS256');
  const foreign = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(own.publicKey)), kid: 'k1', use: 'sig', alg: 'RS256' };
  const grants = new Map<string, Grant>();
  const [clientId, clientSecret] = ['parkline', randomBytes(16).toString('hex')];
  const provider: Omit<IdentityProviderServer, 'issuer' | 'stop'> = {
    ...{ clientId, clientSecret, refusals: [] },
    behaviour: { claims: { sub: 'nobody' } },
  };

  async function idToken({ nonce, clientId: audience }: Grant): Promise<string> {
    const { claims, lies, signature } = provider.behaviour;
    const at = Math.floor(Date.now() / 1_000);
    const said = { iss: issuer, aud: audience, iat: at, exp: at + 300, nonce, ...claims, ...lies };
    if (signature === 'none')
      return `${base64url.encode(JSON.stringify({ alg: 'none' }))}.${base64url.encode(JSON.stringify(said))}.`;
    const key = signature === 'foreign' ? foreign.privateKey : own.privateKey;
    return new SignJWT(said).setProtectedHeader({ alg: 'RS256', kid: 'k1' }).sign(key);
  }

  function authorize({ searchParams }: URL, reply: ServerResponse): void {
    const get = (key: string) => searchParams.get(key) ?? '';
    if (get('redirect_uri') !== redirectUri || get('code_challenge_method') !== 'S256')
      return void reply.writeHead(400).end('redirect or challenge refused');
    const code = randomBytes(16).toString('hex');
    grants.set(code, {
      ...{ redirectUri, challenge: get('code_challenge'), nonce: get('nonce'), clientId: get('client_id') },
    });
    const back = new URL(redirectUri);
    back.search = String(
      new URLSearchParams({ code, state: get('state'), iss: provider.behaviour.answersAs ?? issuer }),
    );
    reply.writeHead(302, { location: back.href }).end();
  }

  async function token(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = new URLSearchParams(Buffer.concat(chunks).toString());
    const code = body.get('code') ?? '';
    const grant = grants.get(code);
    grants.delete(code);
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`;
    const fault =
      (request.headers.authorization !== basic && 'client') ||
      (!grant && 'code') ||
      (grant?.clientId !== clientId && 'code of another client') ||
      (grant?.redirectUri !== body.get('redirect_uri') && 'redirect') ||
      (grant?.challenge !== challenge && 'verifier');
    const json = { 'content-type': 'application/json' };
    if (fault || !grant) {
      provider.refusals.push(fault || 'code');
      return void reply.writeHead(400, json).end(JSON.stringify({ error: 'invalid_grant' }));
    }
    const answer = { access_token: 'a', token_type: 'Bearer', id_token: await idToken(grant) };
    reply.writeHead(200, json).end(JSON.stringify(answer));
  }

  const metadata = () => ({
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    ...provider.behaviour.endpoints,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256', 'none'],
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  });
  const server = createServer((request, reply) => {
    const url = new URL(request.url ?? '/', issuer);
    const json = (body: unknown) =>
      reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (url.pathname === '/.well-known/openid-configuration') json(metadata());
    else if (url.pathname === '/jwks') json({ keys: [jwk] });
    else if (url.pathname === '/authorize') authorize(url, reply);
    else if (url.pathname === '/token') void token(request, reply);
    else reply.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(provider, {
    issuer,
    stop: () => new Promise<void>((resolve) => server.close(() => resolve())),
  });
}
