import { Role, schemaErrors, Skill, tenantRoles } from '@parkline/contract';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { type Area, createPasswords, type Passwords, people } from '../identity/index.ts';
import type { SeededPlaces } from '../places/index.ts';
import { type Db, withAccount } from '../platform/db.ts';
import { newId } from '../platform/ids.ts';
import { tenants } from '../tenancy/index.ts';

const Person = Type.Object({
  role: Role,
  login: Type.String({ minLength: 1, maxLength: 200 }),
  name: Type.String({ minLength: 1, maxLength: 200 }),
  password: Type.String({ minLength: 12, maxLength: 1_000 }),
  /** Key of the tenant; who has a role of tenants has one, nobody else. */
  tenant: Type.Optional(Type.String()),
  skills: Type.Optional(Type.Array(Skill)),
  /** Keys of the buildings and floors where a technician works; none: everywhere. */
  areas: Type.Optional(Type.Array(Type.String())),
});
type Person = Static<typeof Person>;
const People = Type.Array(Person);

/** @throws Error naming the entry and field. */
export function parsePeople(text: string): readonly Person[] {
  const value: unknown = JSON.parse(text);
  if (!Value.Check(People, value)) {
    const faults = schemaErrors(People, value).map(
      ({ instancePath, message }) => `${instancePath || '/'} ${message}`,
    );
    throw new Error(`people: ${faults.join('; ')}`);
  }
  for (const [i, { role, tenant }] of value.entries())
    if (tenantRoles.includes(role) !== (tenant !== undefined))
      throw new Error(`people: /${i}/tenant is needed for ${tenantRoles.join(' and ')} and for nobody else`);
  return value;
}

interface Park {
  readonly accountId: string;
  readonly places: SeededPlaces;
  /** Told in a line what of the list this park has no use for. */
  readonly note: (line: string) => void;
}

/**
 * Makes the people whose login is free. Passwords are hashed only for them: a second start stays quick and keeps what
 * people changed. One list serves several parks: a tenant or an area that this one lacks is noted and left out.
 * @returns the logins of the list that are there. @throws Error when a login is taken in another account.
 */
export async function seedPeople(db: Db, park: Park, persons: readonly Person[]): Promise<string[]> {
  const passwords = createPasswords();
  const there: string[] = [];
  for (const person of persons) {
    const { isThere, notes } = await withAccount(db, park.accountId, async (trx) => {
      const notes: string[] = [];
      const note = (line: string): void => void notes.push(line);
      return { isThere: await seedPerson(trx, { ...park, note }, person, passwords), notes };
    });
    for (const line of notes) park.note(line);
    if (isThere) there.push(person.login);
  }
  return there;
}

async function seedPerson(db: Db, park: Park, person: Person, passwords: Passwords): Promise<boolean> {
  const { accountId } = park;
  const { login, name, role, tenant, skills = [] } = person;
  if (await people.hasLogin(db, accountId, login)) return true;
  const tenantId = tenant === undefined ? null : await tenants.byKey(db, accountId, tenant);
  if (tenantId === undefined) {
    park.note(`${login} is left out: this park has no tenant ${tenant}`);
    return false;
  }
  const passwordHash = await passwords.hash(person.password);
  const row = { id: newId(), accountId, tenantId, login, name, passwordHash, grants: [{ role }], skills };
  if (!(await people.add(db, row, newId))) throw new Error(`login ${login} is taken`);
  await people.setAreas(db, accountId, row.id, areasOf(park, person));
  return true;
}

function areasOf({ places, note }: Park, { login, areas = [] }: Person): Area[] {
  return areas.flatMap((key): Area[] => {
    const buildingId = places.buildings.get(key);
    if (buildingId) return [{ buildingId, floorId: null }];
    const floorId = places.floors.get(key);
    if (floorId) return [{ buildingId: null, floorId }];
    note(`${login}: this park has no building or floor ${key}, the area is left out`);
    return [];
  });
}
