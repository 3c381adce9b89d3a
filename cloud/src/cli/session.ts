import { readFileSync } from 'node:fs';
import { type Io, NoServiceError, runUsers } from './io.ts';

/** The API, as one person who is logged in. */
export interface Session {
  /** @throws Error with what the API says, and the fields it blames. */
  get<T>(path: string): Promise<T>;
  post<T>(path: string, body?: object): Promise<T>;
}

/** Who is to log in. */
export interface Who {
  /** Login; absent: PARKLINE_LOGIN, else whoever has `role` in the park that runs here. */
  readonly login?: string;
  readonly role: string;
}

/**
 * Logs in, works, logs out. The address is PARKLINE_URL, else that of the park that runs here. The password is
 * PARKLINE_PASSWORD, else the one noted for the park that runs here, else standard input: never an argument, which others see.
 * @throws NoServiceError when nobody says where the park is.
 */
export async function withSession(
  io: Io,
  who: Who,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  const { url, login, password } = credentials(io, who);
  const reply = await fetch(`${url}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login, password }),
  }).catch((cause: unknown) => {
    throw new Error(`${url} does not answer: is the park running?`, { cause });
  });
  if (!reply.ok) throw new Error(`${login} cannot log in: ${await wordsOf(reply)}`);
  const cookie = reply.headers
    .getSetCookie()
    .map((one) => one.split(';')[0] ?? '')
    .join('; ');
  const call = async (method: string, path: string, body?: object): Promise<Response> => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: { cookie, 'accept-language': 'en', ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (!answer.ok) throw new Error(await wordsOf(answer));
    return answer;
  };
  try {
    await work({
      get: async <T>(path: string) => (await (await call('GET', path)).json()) as T,
      post: async <T>(path: string, body?: object) => (await (await call('POST', path, body)).json()) as T,
    });
  } finally {
    await call('POST', '/api/logout').catch(() => undefined); // The session ends by itself, too.
  }
}

function credentials(io: Io, { login: named, role }: Who) {
  const { env } = io;
  const here = env['PARKLINE_URL'] ? undefined : runUsers(io);
  const url = env['PARKLINE_URL'] ?? here?.url;
  if (!url) throw new NoServiceError('no park runs here: start one with npm start, or set PARKLINE_URL');
  const wanted = named ?? env['PARKLINE_LOGIN'];
  const known = here?.users.find((user) => (wanted ? user.login === wanted : user.role === role));
  const login = wanted ?? known?.login;
  if (!login) throw new Error('who are you? Name a login with --login or PARKLINE_LOGIN');
  const password = env['PARKLINE_PASSWORD'] ?? known?.password ?? readFileSync(0, 'utf8').trim();
  return { url: url.replace(/\/$/, ''), login, password };
}

interface Refusal {
  readonly message?: string;
  readonly details?:
    readonly { readonly field: string; readonly message: string }[] | { readonly why?: string };
}

/** What the API said, with what it blames. */
async function wordsOf(reply: Response): Promise<string> {
  const { message, details } = (await reply.json().catch(() => ({}))) as Refusal;
  const blamed = Array.isArray(details)
    ? details
        .map(({ field, message: why }: { field: string; message: string }) => `${field}: ${why}`)
        .join('; ')
    : (details as { why?: string } | undefined)?.why;
  return [message ?? `HTTP ${reply.status}`, blamed].filter(Boolean).join(' ');
}
