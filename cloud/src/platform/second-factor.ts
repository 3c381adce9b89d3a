import type { FactorKind, FactorStage } from '@parkline/contract';
import type { RouteOptions } from 'fastify';
import { AppError } from './errors.ts';

/** How far a session is with the second factor of its person. */
export interface SecondFactor {
  readonly stage: FactorStage;
  readonly kinds: readonly FactorKind[];
  /** Given within the last minutes; or there is none, and this park asks nobody to enrol one. */
  readonly isFresh: boolean;
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A second factor was given within ten minutes in this session. No API key and no display opens such a route. */
    fresh?: boolean;
    /** Open to a session that still owes its second factor: 'give' to any such, 'enrol' for the first one to be enrolled; later ones need `fresh`. */
    pending?: 'give' | 'enrol';
    /** Open to the token of a wall screen, too. */
    display?: boolean;
  }
}

type Config = Pick<NonNullable<RouteOptions['config']>, 'permission' | 'fresh' | 'pending'>;

/**
 * Lets a session pass as far as its second factor goes. `factor` is null for who has no session, as an API key.
 * @throws AppError 'second_factor_enrol', 'second_factor_needed' with the kinds that can be given, or 'forbidden'.
 */
export function requireSecondFactor(factor: SecondFactor | null, config: Config): void {
  const { permission, fresh, pending } = config;
  if (factor === null) {
    if (fresh || pending)
      throw new AppError('forbidden', 'only for a person in a session', { details: { why: 'person' } });
    return;
  }
  const { stage, kinds, isFresh } = factor;
  if (pending === 'give' || (pending === 'enrol' && stage === 'enrol')) return;
  if (stage === 'enrol') throw new AppError('second_factor_enrol', 'the rights need a second factor');
  if (stage === 'open' && (isFresh || !(fresh || pending))) return;
  // One's own things are open to who has no second factor and needs none.
  if (kinds.length === 0 && permission === 'session') return;
  if (kinds.length === 0) throw new AppError('second_factor_enrol', 'this needs a second factor');
  const why = stage === 'give' ? 'second factor not given' : 'second factor given too long ago';
  throw new AppError('second_factor_needed', why, { details: { kinds } });
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * What a strong permission lets somebody change needs a fresh second factor.
 * @throws Error naming the route that does without: the server does not start.
 */
export function requireFreshness(route: RouteOptions, strong: ReadonlySet<string>): void {
  const { permission = '', fresh = false } = route.config ?? {};
  const methods = [route.method].flat();
  const name = `${methods.join(',')} ${route.url}`;
  if (strong.has(permission) && !fresh && methods.some((method) => !SAFE.has(method)))
    throw new Error(`${name} changes what "${permission}" is for: it needs "fresh: true"`);
}
