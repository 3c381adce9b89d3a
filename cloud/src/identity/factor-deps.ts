import Type from 'typebox';
import type { Actor } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import type { NewId } from '../platform/ids.ts';
import type { Secrets } from '../platform/secrets.ts';
import type { Attempts } from './attempts.ts';
import type { Owner } from './second-factors.ts';
import type { SecondFactorRule, SessionKeeper } from './session.ts';
import { sessions } from './session-store.ts';

export interface FactorDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  readonly secrets: Secrets;
  readonly keeper: SessionKeeper;
  readonly attempts: Attempts;
  readonly rule: SecondFactorRule;
  /** Passkeys are bound to its host; without it to the one that the browser names. */
  readonly publicUrl?: string | undefined;
}

export const NoContent = { response: { 204: Type.Null() } };

export const ownerOf = ({ accountId, personId }: Actor): Owner => ({ accountId, personId });

/** What is written down of a change. */
export const entryOf = ({ accountId, personId }: Actor, at: Date, ip: string) => ({
  accountId,
  personId,
  at,
  ip,
});

/** What a passkey had to sign, once. */
export const takeChallenge = ({ db, now }: FactorDeps, actor: Actor): Promise<string | undefined> =>
  withActor(db, actor, (trx) => sessions.takeChallenge(trx, actor.accountId, actor.sessionId, now()));
