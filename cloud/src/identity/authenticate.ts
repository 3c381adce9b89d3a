import type { FastifyRequest } from 'fastify';
import type { Person } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import type { Db } from '../platform/db.ts';
import { bearerOf, personOfKey } from './api-keys.ts';
import { isDisplayToken, personOfDisplay } from './display-tokens.ts';
import type { SessionKeeper } from './session.ts';

export interface AuthenticateDeps {
  readonly db: Db;
  readonly now: Now;
  readonly keeper: SessionKeeper;
}

/** Who a request comes from: the program or wall screen whose token it brings, else the person of its session. A bad key is nobody, whatever the cookie. */
export const createAuthenticate =
  ({ db, now, keeper }: AuthenticateDeps) =>
  (request: FastifyRequest): Promise<Person | undefined> => {
    const bearer = bearerOf(request);
    if (bearer === undefined) return keeper.authenticate(request);
    return isDisplayToken(bearer) ? personOfDisplay({ db, now }, bearer) : personOfKey({ db, now }, bearer);
  };
