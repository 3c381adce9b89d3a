/** What a key can be given, in the order that it is chosen from: by what it is about, reading before changing. */
export const scopeGroups = {
  places: ['place.read', 'place.write', 'tenancy.read', 'tenancy.write'],
  devices: [
    ...(['equipment.read', 'equipment.write', 'point.read', 'reading.read'] as const),
    ...(['commissioning.read', 'commissioning.write'] as const),
  ],
  commands: ['command.read', 'command.write', 'command.approve'],
  work: [
    ...(['fault.read', 'fault.acknowledge', 'rule.write', 'workorder.read', 'workorder.work'] as const),
    ...(['workorder.dispatch', 'workorder.cancel', 'setting.write'] as const),
  ],
  gateways: ['gateway.read', 'gateway.write', 'update.write'],
  money: ['billing.read', 'my.usage'],
  people: ['person.read', 'person.tenant', 'audit.read', 'display.write'],
} as const;

export type ScopeGroup = keyof typeof scopeGroups;
export type Scope = (typeof scopeGroups)[ScopeGroup][number];

const groups = Object.keys(scopeGroups) as ScopeGroup[];
const known: ReadonlySet<string> = new Set(Object.values(scopeGroups).flat());

/** Whether the portal has words for it. Pure. */
export const isScope = (name: string): name is Scope => known.has(name);

/** The groups of which something can be given, with that. Pure. */
export const groupsOf = (given: readonly string[]): { group: ScopeGroup; scopes: Scope[] }[] =>
  groups
    .map((group) => ({ group, scopes: scopeGroups[group].filter((scope) => given.includes(scope)) }))
    .filter(({ scopes }) => scopes.length > 0);
