import { readIfThere, writeWhole } from './files.ts';
import { readablePassword } from './keys.ts';

/** A person as `parkline park seed --people` takes it; keys are those of the park file. */
export interface Person {
  readonly role: string;
  readonly login: string;
  readonly name: string;
  readonly password: string;
  readonly tenant?: string;
  readonly skills?: readonly string[];
  readonly areas?: readonly string[];
}
export type PlannedPerson = Omit<Person, 'password'>;

/** One of each role and a second technician: by trade and place some work fits the one, some the other, some both. */
export const demoPeople: readonly PlannedPerson[] = [
  { role: 'facility_engineer', login: 'engineer', name: 'Lin Hao' },
  { role: 'supervisor', login: 'supervisor', name: 'Zhao Min' },
  {
    role: 'technician',
    login: 'technician',
    name: 'Wang Lei',
    skills: ['hvac', 'electrical', 'plumbing', 'metering'],
    areas: ['a'],
  },
  {
    role: 'technician',
    login: 'technician2',
    name: 'Liu Yang',
    skills: ['hvac', 'electrical', 'plumbing', 'elevator', 'security', 'metering'],
    areas: ['b', 'a-b1', 'a-1'],
  },
  { role: 'tenant_admin', login: 'tenant', name: 'He Jing', tenant: 'aurora' },
  { role: 'tenant_employee', login: 'employee', name: 'Ma Li', tenant: 'aurora' },
  { role: 'finance_officer', login: 'finance', name: 'Xu Na' },
  { role: 'leasing_officer', login: 'leasing', name: 'Deng Jie' },
  { role: 'guard', login: 'guard', name: 'Hu Bo' },
  { role: 'executive', login: 'executive', name: 'Song Ya' },
  { role: 'installer', login: 'installer', name: 'Fan Kai' },
  { role: 'account_admin', login: 'admin', name: 'Chen Yu' },
];

/** Of the park beside, whom nobody of the demo park ever meets. */
export const neighbours: readonly PlannedPerson[] = [
  { role: 'facility_engineer', login: 'river-engineer', name: 'Tang Rui' },
  { role: 'account_admin', login: 'river-admin', name: 'Guo Ping' },
];

/** The people with passwords of this installation, each made once and kept in `file`. */
export async function withPasswords(
  file: string,
  planned: readonly PlannedPerson[],
): Promise<readonly Person[]> {
  const text = await readIfThere(file);
  const known = new Map(
    (text === undefined ? [] : (JSON.parse(text) as Person[])).map(({ login, password }) => [
      login,
      password,
    ]),
  );
  const people = planned.map((person) => ({
    ...person,
    password: known.get(person.login) ?? readablePassword(),
  }));
  const next = `${JSON.stringify(people, null, 2)}\n`;
  if (next !== text) await writeWhole(file, next);
  return people;
}
