import type { ApiError } from '../api/errors.ts';

const detailsOf = (error: ApiError) =>
  (error.details ?? {}) as { why?: unknown } | { field?: string; message?: string; why?: string }[];

/** Why a link or a request was refused, as the server names it. Pure. */
export function whyOf(error: ApiError | undefined): string | undefined {
  const details = error && detailsOf(error);
  return details && !Array.isArray(details) && typeof details.why === 'string' ? details.why : undefined;
}

function fieldOf(error: ApiError | undefined, field: string) {
  const details = error && detailsOf(error);
  return Array.isArray(details) ? details.find((one) => one.field === field) : undefined;
}

/** What is wrong with one field, in the words of the server. Pure. */
export const faultIn = (error: ApiError | undefined, field: string): string | undefined =>
  fieldOf(error, field)?.message;

const passwordFaults = ['too_short', 'common', 'own_name'] as const;
/** The server's word for a refused password. Pure. */
export const passwordFaultIn = (error: ApiError | undefined) =>
  passwordFaults.find((fault) => fault === fieldOf(error, 'body.password')?.why);

const linkFaults = ['unknown', 'expired', 'used', 'revoked'] as const;
/** Why a link lets nobody in; undefined where it was not the link. Pure. */
export const linkFaultIn = (error: ApiError | undefined) =>
  error?.code === 'link_refused'
    ? (linkFaults.find((fault) => fault === whyOf(error)) ?? 'unknown')
    : undefined;

const refusals = [
  ...(['login_taken', 'invited_already', 'last_admin', 'has_right_already', 'erased'] as const),
  ...(['beyond_own_rights', 'accepted', 'revoked', 'has_address'] as const),
];
/** Why a change of people was refused, where the portal has words of its own for it. Pure. */
export const peopleRefusal = (error: ApiError | undefined) =>
  refusals.find((refusal) => refusal === whyOf(error));

const oidcFaults = [
  'flow',
  'provider',
  'unknown_person',
  'disabled',
  'linked_elsewhere',
  'unavailable',
] as const;
/** Why a login through a provider was refused, from the address of the login page. Pure. */
export const oidcFault = (search: Pick<URLSearchParams, 'get'>) =>
  oidcFaults.find((fault) => fault === search.get('oidc'));
