import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Actor } from './access.ts';
import type { AppError, ErrorCode } from './errors.ts';

/** Something that would have changed the park and was refused to somebody we know, or to who tried to be somebody we know. */
export interface Refusal {
  readonly accountId: string;
  /** Who asked; null: nobody proved to be anybody, and `subjectId` is the person whose login was tried. */
  readonly personId: string | null;
  readonly by: Actor['by'] | null;
  readonly apiKeyId?: string;
  /** 'PATCH /api/people/:id'. */
  readonly route: string;
  /** What the address names; whether it is there, and whose it is, nobody says. */
  readonly subjectId?: string;
  readonly reason: ErrorCode;
  readonly ip: string;
}

/** Writes refusals down. However many there are, what is written of them is bounded. */
export interface RefusalNotes {
  /** Resolves when it is written or counted; what goes wrong is in the log. */
  note(refusal: Refusal): Promise<void>;
  /** Writes down what was only counted so far. */
  close(): Promise<void>;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** What the request was refused with. */
    refused: AppError | null;
  }
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** For want of a right, of a proof of who it is, or of something in sight: not what is wrong with the request itself. */
const ofRights: ReadonlySet<ErrorCode> = new Set([
  'forbidden',
  'second_factor_needed',
  'second_factor_enrol',
  'code_refused',
  'passkey_refused',
  'password_refused',
  'login_refused',
  'not_found',
]);

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Notes every refusal of a right before its answer leaves. */
export function noteRefusals(app: FastifyInstance, notes: RefusalNotes): void {
  app.addHook('onSend', async (request, _reply, payload) => {
    const refusal = refusalOf(request);
    request.refused = null; // An error while this answer is sent is no second refusal.
    if (!refusal) return payload;
    const noted = notes.note(refusal);
    // How long a failed login takes must not tell whether there is such a person.
    if (refusal.personId !== null) await noted;
    return payload;
  });
  app.addHook('onClose', () => notes.close());
}

function refusalOf(request: FastifyRequest): Refusal | undefined {
  const { refused, person, method, routeOptions, ip } = request;
  if (!refused || SAFE.has(method) || !ofRights.has(refused.code)) return undefined;
  const what = { route: `${method} ${routeOptions.url ?? ''}`, reason: refused.code, ip };
  const subjectId = subjectOf(request.params);
  if (person) {
    const { accountId, personId, by, apiKeyId } = person;
    const who = { accountId, personId, by, ...(apiKeyId !== undefined && { apiKeyId }) };
    return { ...who, ...what, ...(subjectId !== undefined && { subjectId }) };
  }
  const { triedAs } = refused;
  return (
    triedAs && {
      ...what,
      accountId: triedAs.accountId,
      personId: null,
      by: null,
      subjectId: triedAs.personId,
    }
  );
}

/** The last id that the address names: of what the deed was to be done to. */
const subjectOf = (params: unknown): string | undefined =>
  Object.values((params ?? {}) as Record<string, unknown>).findLast(
    (value): value is string => typeof value === 'string' && UUID.test(value),
  );
