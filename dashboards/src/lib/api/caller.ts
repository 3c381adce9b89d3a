import { createClient, type Request } from '@parkline/client';
import type { FactorKind, Language } from '@parkline/contract';
import { ApiError, errorOf } from './errors.ts';

export interface ApiDeps {
  fetch: typeof fetch;
  /** Names and error sentences come in this language. */
  language(): Language;
  /**
   * Told when the server does not know the session that a request was made in; not for a refused login. Resolves to whether
   * the person of the page is there, in that one's successor too: the request is then made once more.
   */
  logInAgain(): Promise<boolean>;
  /** The token of the browser's session, as it is at the moment; undefined without a session. */
  csrfToken?(): string | undefined;
  /**
   * Asks the person for the second factor. Resolves to whether it was given: the request is then made once more.
   * `kinds` is empty where one has to be enrolled first.
   */
  stepUp?(kinds: readonly FactorKind[]): Promise<boolean>;
}

/** Ends a read when the page that asked for it is gone. */
export type Signal = AbortSignal | undefined;

/** One page of a list. */
export interface Listing<T> {
  readonly items: T[];
  /** Goes back as `after`; null on the last page. */
  readonly next: string | null;
}

export type Caller = ReturnType<typeof createCaller>;

/** How the API is spoken to. Every call rejects with {@link ApiError}, or AbortError when its signal ends it. */
export function createCaller(deps: ApiDeps) {
  async function send({ method, url, body, headers, signal }: Request): Promise<Response> {
    const token = method === 'GET' ? undefined : deps.csrfToken?.();
    const isFile = body instanceof Blob;
    return deps
      .fetch(url, {
        method,
        headers: {
          'accept-language': deps.language(),
          ...(token && { 'x-csrf-token': token }),
          ...(body && {
            'content-type': isFile ? body.type || 'application/octet-stream' : 'application/json',
          }),
          ...headers,
        },
        ...(body && { body: isFile ? body : JSON.stringify(body) }),
        ...(signal && { signal }),
      })
      .catch((cause: unknown) => {
        if (signal?.aborted) throw cause;
        throw new ApiError(0, { code: 'offline', message: 'no reply from the server' }, { cause });
      });
  }

  /** Whether a refused request may go through now: a second factor was given, or the session is another since. */
  async function isCured(error: ApiError, tokenBefore: string | undefined): Promise<boolean> {
    if (error.code === 'second_factor_needed' || error.code === 'second_factor_enrol')
      return (await deps.stepUp?.(kindsIn(error.details))) ?? false;
    // It may be somebody else's session since: what one person typed never goes out as another's.
    const isAnother = error.code === 'csrf_refused' && deps.csrfToken?.() !== tokenBefore;
    const isNone = error.status === 401 && error.code !== 'login_refused';
    return (isAnother || isNone) && deps.logInAgain();
  }

  /**
   * Does `work`, and again where what it was refused for is cured meanwhile, each refusal once: what a person typed
   * goes through although the session ended under it, or a second factor was wanted.
   */
  async function attempt<T>(work: () => Promise<T>): Promise<T> {
    const met = new Set<string>();
    for (;;) {
      const tokenBefore = deps.csrfToken?.();
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof ApiError) || met.has(error.code) || !(await isCured(error, tokenBefore)))
          throw error;
        met.add(error.code);
      }
    }
  }

  async function answerTo(request: Request): Promise<unknown> {
    const reply = await send(request);
    if (!reply.ok) throw await errorOf(reply);
    return reply.status === 204 ? undefined : reply.json();
  }

  const call = (request: Request): Promise<unknown> =>
    doors.has(request.id) ? answerTo(request) : attempt(() => answerTo(request));

  // Operations by their name in the API's description, with the types that were generated of it.
  const { ask, all: list } = createClient(call);
  return { ask, list, attempt };
}

/** What asks who is there, lets in or lets go: that somebody is not logged in is an answer to these. */
const doors: ReadonlySet<string> = new Set(['login', 'getSession', 'getMe', 'logout']);

/** What can be given, as a refusal names it. */
function kindsIn(details: unknown): readonly FactorKind[] {
  const { kinds } = (details ?? {}) as { kinds?: unknown };
  return Array.isArray(kinds) ? (kinds as FactorKind[]) : [];
}
