import { timingSafeEqual } from 'node:crypto';
import type { Configuration } from 'openid-client';
import type { Now } from '../platform/clock.ts';
import { type Db, withAccount } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { NewId } from '../platform/ids.ts';
import { createGuardedFetch } from '../platform/outbound.ts';
import { sealedPlace, type Secrets } from '../platform/secrets.ts';
import { audit } from './audit.ts';
import { linkHash, newLinkToken } from './links.ts';
import { type Claims, gaveSecondFactor, nameOf, verifiedEmail } from './oidc-claims.ts';
import { authorizationRequest, claimsOf, discover } from './oidc-client.ts';
import { type Flow, identities, oidcGate, type ProviderRow, providers } from './oidc-store.ts';
import { roster } from './roster.ts';

export interface OidcDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  readonly secrets: Secrets;
  /** Address of the portal; the redirect address hangs on it and on nothing that a request says. */
  readonly publicUrl: string;
  /** Hosts that providers may be at although they are not public. */
  readonly allowHosts?: ReadonlySet<string> | undefined;
}

/** Why somebody is not let in; the login page has words for each. */
export type OidcRefusal =
  | 'flow' // No such login is under way in this browser, or it took too long.
  | 'provider' // What came from the provider does not stand up to the checks.
  | 'unknown_person'
  | 'disabled'
  | 'linked_elsewhere'
  | 'unavailable';

export class OidcError extends Error {
  readonly why: OidcRefusal;
  constructor(why: OidcRefusal, options?: ErrorOptions) {
    super(`login through a provider refused: ${why}`, options);
    this.name = 'OidcError';
    this.why = why;
  }
}

/** A login on its way to the provider. */
export interface Started {
  readonly url: string;
  /** Goes into a cookie: the answer counts in this browser only. */
  readonly browser: string;
}

/** Somebody that the provider vouched for. */
export interface Entered {
  readonly accountId: string;
  readonly personId: string;
  readonly back: string;
  /** A second factor was given there, and the account trusts the provider with that. */
  readonly factorGiven: boolean;
  /** Somebody who was logged in linked the own person: there is a session already. */
  readonly isLink: boolean;
}

const FLOW_MS = 600_000;
/** What a provider says of itself is read again after so long. */
const METADATA_MS = 3_600_000;

export const secretPlace = (id: string): string =>
  sealedPlace('identity_provider', 'sealed_client_secret', id);
export const redirectUriOf = (publicUrl: string): string =>
  `${publicUrl.replace(/\/$/, '')}/api/login/oidc/callback`;

/** Only a path of ours, never another site: browsers leave tabs and breaks out of `/\t/`. Pure. */
export const safeBack = (path: string | undefined): string =>
  path && /^\/(?![/\\])\P{Cc}*$/u.test(path) && !path.startsWith('/login') ? path : '/';

export function createOidc({ db, now, newId, secrets, publicUrl, allowHosts = new Set() }: OidcDeps) {
  const fetchOut = createGuardedFetch({ allowHosts });
  const redirectUri = redirectUriOf(publicUrl);
  const known = new Map<string, { config: Promise<Configuration>; until: number }>();

  /** What is known of the provider, read when first needed. @throws OidcError 'unavailable'. */
  async function configurationOf(provider: ProviderRow): Promise<Configuration> {
    const key = `${provider.id} ${provider.version}`;
    const held = known.get(key);
    if (held && held.until > now().getTime()) return held.config;
    const { issuer, clientId, sealedClientSecret, id } = provider;
    const secret =
      sealedClientSecret === null ? undefined : secrets.open(sealedClientSecret, secretPlace(id));
    const config = discover({ issuer, clientId, secret }, fetchOut).catch((cause: unknown) => {
      known.delete(key);
      throw new OidcError('unavailable', { cause });
    });
    known.set(key, { config, until: now().getTime() + METADATA_MS });
    return config;
  }

  /** `of`: the only account that it may be of; absent: any. @throws AppError 'not_found'. */
  async function providerOf(id: string, of?: string): Promise<ProviderRow> {
    const accountId = await oidcGate.accountOf(db, id);
    const isSought = accountId !== undefined && (of === undefined || of === accountId);
    const row = isSought && (await withAccount(db, accountId, (trx) => providers.find(trx, accountId, id)));
    if (!row) throw new AppError('not_found', 'no such provider', { details: { id } });
    return row;
  }

  return {
    /**
     * Sends somebody to the provider. `link`: to link that person, who is logged in.
     * @throws AppError 'not_found', OidcError 'unavailable'.
     */
    async start(
      providerId: string,
      { back, link }: { back?: string | undefined; link?: Pick<Entered, 'accountId' | 'personId'> },
    ): Promise<Started> {
      const provider = await providerOf(providerId, link?.accountId);
      const personId = link?.personId ?? null;
      const request = await authorizationRequest(await configurationOf(provider), redirectUri);
      const browser = newLinkToken();
      const { accountId } = provider;
      const at = now();
      await oidcGate.sweepFlows(db, at);
      const { state, nonce, codeVerifier } = request;
      const flow: Flow & { stateHash: Buffer } = {
        ...{ accountId, providerId, personId, nonce, codeVerifier, back: safeBack(back) },
        ...{ stateHash: linkHash(state), browserHash: linkHash(browser) },
        expiresAt: new Date(at.getTime() + FLOW_MS),
      };
      await withAccount(db, accountId, (trx) => trx.insertInto('oidcFlow').values(flow).execute());
      return { url: request.url.href, browser };
    },

    /**
     * The provider sent the browser back. Whatever comes, the login that was under way is over.
     * @param search the query of the request, as it came. @throws OidcError.
     */
    async finish(search: string, browser: string | undefined, ip: string): Promise<Entered> {
      const answer = new URL(`${redirectUri}?${search}`);
      const state = answer.searchParams.get('state');
      const flow = state ? await oidcGate.takeFlow(db, linkHash(state)) : undefined;
      const isOurs = browser !== undefined && flow && timingSafeEqual(flow.browserHash, linkHash(browser));
      if (!flow || !isOurs || !state || flow.expiresAt <= now()) throw new OidcError('flow');
      const provider = await providerOf(flow.providerId);
      const config = await configurationOf(provider);
      const { nonce, codeVerifier, accountId, back } = flow;
      const claims: Claims = await claimsOf(config, answer, { state, nonce, codeVerifier }).catch(
        (cause: unknown) => {
          throw new OidcError('provider', { cause });
        },
      );
      const personId = await withAccount(db, accountId, (trx) => personOf(trx, provider, flow, claims, ip));
      const isLink = flow.personId !== null;
      return { accountId, personId, back, factorGiven: gaveSecondFactor(claims, provider), isLink };
    },

    /** @throws AppError 'bad_input' when the issuer cannot be asked. */
    check: (facts: Parameters<typeof discover>[0]) => discover(facts, fetchOut),
    redirectUri,
  };

  /** Who this is here: linked before, linking now, known by the verified address, or new where the account wants that. */
  async function personOf(
    trx: Db,
    provider: ProviderRow,
    flow: Flow,
    claims: Claims,
    ip: string,
  ): Promise<string> {
    const { accountId, id: providerId } = provider;
    const linked = await identities.personOf(trx, accountId, providerId, claims.sub);
    if (linked) {
      if (flow.personId !== null && flow.personId !== linked.id) throw new OidcError('linked_elsewhere');
      if (linked.disabledAt) throw new OidcError('disabled');
      return linked.id;
    }
    const personId = flow.personId ?? (await byEmail(trx, provider, claims, ip));
    const linkedAt = now();
    const link = { accountId, providerId, subject: claims.sub, personId, linkedAt };
    if (!(await identities.link(trx, link))) throw new OidcError('linked_elsewhere');
    const details = { provider: provider.name, issuer: provider.issuer };
    const deed = { accountId, at: linkedAt, personId, action: 'person.linked', subjectId: personId };
    await audit(trx, { ...deed, details, ip });
    return personId;
  }

  async function byEmail(trx: Db, provider: ProviderRow, claims: Claims, ip: string): Promise<string> {
    const { accountId, defaultRole } = provider;
    const email = verifiedEmail(claims);
    if (email === undefined) throw new OidcError('unknown_person');
    const found = await roster.byLogin(trx, accountId, email);
    if (found?.disabledAt) throw new OidcError('disabled');
    if (found) return found.id;
    if (defaultRole === null) throw new OidcError('unknown_person');
    const id = newId();
    const name = nameOf(claims, email);
    const person = { id, accountId, tenantId: null, login: email, name, email, language: 'zh-CN' as const };
    if (!(await roster.add(trx, person))) throw new OidcError('unknown_person'); // Of another account.
    const grant = { role: defaultRole, siteId: null, buildingId: null };
    await roster.grant(trx, newId, { accountId, personId: id, ...grant });
    const after = { login: email, name, grants: [grant], provider: provider.name };
    await audit(trx, {
      accountId,
      at: now(),
      personId: null,
      action: 'person.added',
      subjectId: id,
      after,
      ip,
    });
    return id;
  }
}

export type Oidc = ReturnType<typeof createOidc>;
