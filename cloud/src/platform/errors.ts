import type { LocalText } from './i18n.ts';

/** Every code the API answers with, and its HTTP status. Texts for people are in i18n.ts. */
export const statusOf = {
  bad_input: 400,
  not_logged_in: 401,
  login_refused: 401,
  code_refused: 403,
  passkey_refused: 403,
  password_refused: 403,
  forbidden: 403,
  second_factor_needed: 403,
  second_factor_enrol: 403,
  foreign_origin: 403,
  csrf_refused: 403,
  setup_refused: 403,
  claim_refused: 403,
  not_found: 404,
  conflict: 409,
  in_progress: 409,
  already_done: 409,
  not_sealed: 409,
  stale_edit: 409,
  link_refused: 410,
  too_large: 413,
  unsupported_media: 415,
  unprocessable: 422,
  precondition_required: 428,
  too_many_requests: 429,
  internal: 500,
  unavailable: 503,
  busy: 503,
} as const;
export type ErrorCode = keyof typeof statusOf;

export interface AppErrorOptions extends ErrorOptions {
  /** What it is about, for programs: goes into the reply as `details`, in the language of the reader. */
  readonly details?: Details;
  /** Sent as Retry-After. */
  readonly retryAfterS?: number;
  /** Whose login was tried in vain; for the audit, never in the reply. */
  readonly triedAs?: { readonly accountId: string; readonly personId: string } | undefined;
}

/** A request that cannot be served, for a reason its sender should know. The message is for the log. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: Details | undefined;
  readonly retryAfterS: number | undefined;
  readonly triedAs: AppErrorOptions['triedAs'];
  constructor(
    code: ErrorCode,
    message: string,
    { details, retryAfterS, triedAs, ...options }: AppErrorOptions = {},
  ) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
    this.details = details;
    this.retryAfterS = retryAfterS;
    this.triedAs = triedAs;
  }
}

/** One thing wrong with a request: `field` is a path such as `limit` or `body.login`. In both languages: who reads it is known when it is answered. */
export interface FieldFault {
  readonly field: string;
  readonly message: LocalText;
}

/**
 * The fields to blame, or facts by name. `why` is a code, or a sentence where no code says enough; `held`: what keeps a thing
 * from being deleted, as people call it.
 */
export type Details =
  | readonly FieldFault[]
  | (Readonly<Record<string, unknown>> & {
      readonly why?: string | LocalText;
      readonly held?: readonly { readonly name: LocalText }[];
    });

/** A request that is refused for what is in these fields. The log gets the English words. */
export function badFields(faults: readonly FieldFault[], options: ErrorOptions = {}): AppError {
  const text = faults.map(({ field, message }) => `${field} ${message.en}`).join('; ');
  return new AppError('bad_input', text, { ...options, details: faults });
}

/** A request that is refused for what is in this field. */
export const badField = (field: string, message: LocalText, options?: ErrorOptions): AppError =>
  badFields([{ field, message }], options);
