import type { IdentityProvider, NewProviderBody, ProviderPatch } from '@parkline/contract';

type DefaultRole = NonNullable<IdentityProvider['defaultRole']>;

/** Roles that a provider may bring along; whoever administers is appointed by a person. */
export const defaultRoles: readonly DefaultRole[] = [
  ...(['facility_engineer', 'technician', 'supervisor', 'finance_officer'] as const),
  ...(['leasing_officer', 'guard', 'executive', 'installer'] as const),
];

/** A provider as it is typed. */
export interface ProviderDraft {
  name: string;
  issuer: string;
  clientId: string;
  /** Empty: none, or the one that is kept. */
  secret: string;
  /** The secret that is kept goes. */
  dropsSecret: boolean;
  /** Empty: who is not known is refused. */
  role: string;
  trusts: boolean;
  /** With spaces between. */
  acr: string;
}

/** Pure. */
export const draftOf = (provider: IdentityProvider | undefined): ProviderDraft => ({
  name: provider?.name ?? '',
  issuer: provider?.issuer ?? 'https://',
  clientId: provider?.clientId ?? '',
  secret: '',
  dropsSecret: false,
  role: provider?.defaultRole ?? '',
  trusts: provider?.trustSecondFactor ?? false,
  acr: provider?.secondFactorAcr.join(' ') ?? '',
});

/** Whether the draft leads to another world, with another secret and other people. Pure. */
export const movesAway = (draft: ProviderDraft, provider: IdentityProvider | undefined): boolean =>
  provider !== undefined && draft.issuer.trim() !== provider.issuer;

/** An issuer as the server takes one. Pure. */
export const isIssuer = (text: string): boolean => /^https?:\/\/[^\s?#/]+[^\s?#]*$/.test(text.trim());

const facts = ({ name, issuer, clientId, role, trusts, acr }: ProviderDraft) => ({
  ...{ name: name.trim(), issuer: issuer.trim(), clientId: clientId.trim() },
  defaultRole: role === '' ? null : (role as DefaultRole),
  trustSecondFactor: trusts,
  secondFactorAcr: trusts ? acr.split(/\s+/).filter(Boolean) : [],
});

/** Pure. */
export const newProvider = (draft: ProviderDraft): NewProviderBody => ({
  ...facts(draft),
  clientSecret: draft.secret === '' ? null : draft.secret,
});

/** The secret is named only where it changes: what is not named stays. Pure. */
export function providerPatch(draft: ProviderDraft): ProviderPatch {
  const { secret, dropsSecret } = draft;
  if (secret !== '') return { ...facts(draft), clientSecret: secret };
  return dropsSecret ? { ...facts(draft), clientSecret: null } : facts(draft);
}
