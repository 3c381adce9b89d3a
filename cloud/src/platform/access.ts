import type { FastifyContextConfig, FastifyRequest, RouteOptions } from 'fastify';
import type { Language } from '@parkline/contract';
import type { Db } from './db.ts';
import { AppError } from './errors.ts';
import { requireSecondFactor, type SecondFactor } from './second-factor.ts';

/** Who asks. Set by the access hook before validation; on a public route there may be none. */
export interface Actor {
  readonly personId: string;
  readonly accountId: string;
  /** Set for who belongs to a tenant; null for the operator's own staff. */
  readonly tenantId: string | null;
  /** Of the session, or of the token that stands for one. */
  readonly sessionId: string;
  /** How somebody came in: as a person with a browser, or as a program or wall screen with a token. */
  readonly by: 'session' | 'api_key' | 'display';
  /** Null for who has no session. */
  readonly secondFactor: SecondFactor | null;
  readonly roles: readonly string[];
  readonly permissions: Permissions;
  /** The buildings that the running request may touch, by the permission its route asks for; null: every one. */
  readonly buildings: readonly string[] | null;
  /** Set for a program that came with a key; the person is who made it. */
  readonly apiKeyId?: string;
  /** Called in every transaction of the request, last. */
  readonly beforeCommit?: (trx: Db) => Promise<void>;
}

/** Who somebody is and may be; which buildings count is known with the route. */
export type Person = Omit<Actor, 'buildings'>;

/** Each permission held, with the buildings it is held for; null: everywhere, or the whole of the person's tenant. */
export type Permissions = ReadonlyMap<string, readonly string[] | null>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** 'public': anyone. 'session': whoever is logged in. Else the permission that is asked for. */
    permission?: string;
    /** With 'session': open to a program's key, too, because the route asks by itself for the permission of what it is about. */
    keys?: boolean;
  }
  interface FastifyRequest {
    /** Read it through `actorOf`. */
    actor: Actor | null;
    /** Who asks, also where that is refused; null on a public route. */
    person: Person | null;
    language: Language;
  }
}

/** @throws Error on a public route, where nobody need be logged in: a mistake of the route's author. */
export function actorOf(request: FastifyRequest): Actor {
  if (!request.actor) throw new Error(`${request.method} ${request.url} is public and has no actor`);
  return request.actor;
}

/**
 * Deny by default: a route that names no permission, or one that no role grants, ends the start of the server.
 * @throws Error naming the route.
 */
export function requirePermission(route: RouteOptions, known: ReadonlySet<string>): void {
  const permission = route.config?.permission;
  const name = `${String(route.method)} ${route.url}`;
  if (permission === undefined) throw new Error(`${name} declares no permission`);
  if (permission !== 'public' && permission !== 'session' && !known.has(permission))
    throw new Error(`${name} asks for "${permission}", which no role grants`);
}

/**
 * Lets somebody in who holds the permission somewhere, bounded to where it is held.
 * @throws AppError 'not_logged_in', 'forbidden', 'second_factor_enrol' or 'second_factor_needed'.
 */
export function admit(person: Person | undefined, config: FastifyContextConfig): Actor {
  if (!person) throw new AppError('not_logged_in', 'no living session');
  if (person.by === 'display' && !config.display)
    throw new AppError('forbidden', 'not for wall screens', { details: { why: 'display' } });
  const { permission, keys = false } = config;
  if (person.by === 'api_key' && permission === 'session' && !keys)
    throw new AppError('forbidden', 'not for keys of programs', { details: { why: 'api_key' } });
  requireSecondFactor(person.secondFactor, config);
  if (permission === 'session') return { ...person, buildings: everywhereOf(person.permissions) };
  const buildings = permission === undefined ? undefined : person.permissions.get(permission);
  if (buildings === undefined)
    throw new AppError('forbidden', `lacks ${permission ?? 'any permission'}`, { details: { permission } });
  return { ...person, buildings };
}

/** The buildings of all permissions together. */
function everywhereOf(permissions: Permissions): readonly string[] | null {
  const all = [...permissions.values()];
  return all.includes(null) ? null : [...new Set(all.flatMap((some) => some ?? []))];
}
