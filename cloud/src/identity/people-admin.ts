import { type GrantBody, type Role, tenantRoles } from '@parkline/contract';
import type { Actor } from '../platform/access.ts';
import type { Now } from '../platform/clock.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import { inLanguage, type LocalText } from '../platform/i18n.ts';
import type { NewId } from '../platform/ids.ts';
import { audit, type AuditEntry } from './audit.ts';
import type { GrantRow } from './people-tables.ts';
import { personView, type TenantNames } from './people-view.ts';
import { mayAdminister, mayGrant } from './rights.ts';
import { type PersonRow, roster } from './roster.ts';
import { staleEdit } from '../platform/versions.ts';

export interface PeopleDeps {
  readonly db: Db;
  readonly now: Now;
  readonly newId: NewId;
  /** Name of a tenant; tenants are another slice's. */
  readonly nameOfTenant: (db: Db, accountId: string, tenantId: string) => Promise<LocalText | undefined>;
}

/** Who does it, from where, and how it is answered. */
export interface Doer {
  readonly actor: Actor;
  readonly ip: string;
  readonly language: 'zh-CN' | 'en';
}

/** What a change did, for the audit. */
export type Deed = Pick<AuditEntry, 'before' | 'after' | 'details'> & { readonly action: string };

/** @throws AppError 'conflict' with `why`. */
export function conflict(why: string, id?: string): never {
  throw new AppError('conflict', `refused: ${why}`, { details: { why, ...(id && { id }) } });
}

/** Whether a login is somebody's mail address: it is that person's alone, and becomes a login only by a link that is sent there. */
export const isAddress = (login: string): boolean => login.includes('@');

export const grantRow = ({ role, siteId = null, buildingId = null }: GrantBody): GrantRow => ({
  role,
  siteId,
  buildingId,
});

const grantWords = {
  noTenant: { en: 'is no tenant of this account', zh: '不是本账户的租户' },
  ofTenants: (role: string) => ({
    en: `${role} is only for people of a tenant`,
    zh: `${role} 仅适用于租户的人员`,
  }),
  ofStaff: (role: string) => ({
    en: `${role} is not for people of a tenant`,
    zh: `${role} 不适用于租户的人员`,
  }),
  onePlace: (role: string) => ({ en: `${role} takes one place at most`, zh: `${role} 至多限定一处` }),
  noPlace: (role: string) => ({ en: `${role} takes no place`, zh: `${role} 不能限定到某处` }),
};

/** Changes of people that every route makes in the same way: found, locked, allowed, compared, noted. */
export function createPeopleAdmin({ db, now, newId, nameOfTenant }: PeopleDeps) {
  /** Names of the tenants of these rows. */
  async function tenantNames(
    trx: Db,
    { actor, language }: Doer,
    rows: readonly { tenantId: string | null }[],
  ): Promise<TenantNames> {
    const names = new Map<string, string>();
    for (const { tenantId } of rows) {
      if (tenantId === null || names.has(tenantId)) continue;
      const name = await nameOfTenant(trx, actor.accountId, tenantId);
      if (name) names.set(tenantId, inLanguage(name, language));
    }
    return names;
  }

  const view = async (trx: Db, doer: Doer, row: PersonRow) =>
    personView(row, await tenantNames(trx, doer, [row]));

  /** @throws AppError 'not_found'. */
  async function lockedPerson(trx: Db, { actor }: Doer, id: string): Promise<PersonRow> {
    const row = await roster.lock(trx, actor.accountId, id);
    if (!row) throw new AppError('not_found', 'no such person', { details: { id } });
    return row;
  }

  /** @throws AppError 'forbidden' where the person holds more than who asks could give. */
  async function requirePowerOver(trx: Db, { actor }: Doer, { grants }: PersonRow): Promise<void> {
    const rights = await roster.rights(trx, actor.accountId, grants);
    if (!rights || !mayAdminister(actor, rights))
      throw new AppError('forbidden', 'holds more than who asks', { details: { why: 'beyond_own_rights' } });
  }

  return {
    tenantNames,
    view,

    /**
     * Whether these rights may be given to somebody of this tenant (null: of the staff) by who asks.
     * @throws AppError 'bad_input' for a place or tenant that is not there or a role that does not fit, 'forbidden'.
     */
    async requireGrantable(
      trx: Db,
      { actor }: Doer,
      tenantId: string | null,
      grants: readonly GrantRow[],
    ): Promise<void> {
      if (tenantId !== null && !(await nameOfTenant(trx, actor.accountId, tenantId)))
        throw badField('body.tenantId', grantWords.noTenant);
      for (const { role, siteId, buildingId } of grants) {
        const isOfTenants = tenantRoles.includes(role as Role);
        if (isOfTenants !== (tenantId !== null))
          throw badField('body.grants', isOfTenants ? grantWords.ofTenants(role) : grantWords.ofStaff(role));
        const places = [siteId, buildingId].filter((place) => place !== null).length;
        if (places > (isOfTenants || role === 'account_admin' ? 0 : 1))
          throw badField('body.grants', places > 1 ? grantWords.onePlace(role) : grantWords.noPlace(role));
      }
      const rights = await roster.rights(trx, actor.accountId, grants);
      if (!rights) throw badField('body.grants', fieldWords.noPlace);
      if (!rights.every((right) => mayGrant(actor, right)))
        throw new AppError('forbidden', 'gives more than one has', { details: { why: 'beyond_own_rights' } });
    },

    /**
     * Changes one person in one transaction. `version` absent: whatever stands there.
     * @throws AppError 'not_found', 'forbidden', 'stale_edit' with the person as it stands, 'conflict' for one who is erased.
     */
    change: (
      doer: Doer,
      id: string,
      version: number | undefined,
      work: (trx: Db, before: PersonRow, at: Date) => Promise<Deed | undefined>,
    ) =>
      withActor(db, doer.actor, async (trx) => {
        const before = await lockedPerson(trx, doer, id);
        await requirePowerOver(trx, doer, before);
        if (version !== undefined && version !== before.version)
          throw staleEdit(await view(trx, doer, before));
        if (before.erasedAt) conflict('erased', id);
        const at = now();
        const deed = await work(trx, before, at);
        const { accountId, personId } = doer.actor;
        if (deed) await audit(trx, { accountId, at, personId, subjectId: id, ip: doer.ip, ...deed });
        return view(trx, doer, (await roster.find(trx, accountId, id)) ?? before);
      }),

    newId,
    now,
    db,
  };
}

export type PeopleAdmin = ReturnType<typeof createPeopleAdmin>;
