import { type Client, createClient, type Request } from '@parkline/client';
import { type Io, terminalLanguage } from './io.ts';

/** Carries out one request of the client. @throws ApiRefusal with what the API says; Error where nothing answers. */
export type Call = (request: Request) => Promise<unknown>;

/** Cookies of one server, by name. */
export type Cookies = Readonly<Record<string, string>>;

/** What the API said instead of doing it, with the fields it blames. */
export class ApiRefusal extends Error {
  /** Of errors.ts, "second_factor_needed"; empty where no API answered. */
  readonly code: string;
  /** What it is about, as the API tells it for programs; empty where it tells nothing. */
  readonly details: object;
  constructor(code: string, message: string, details: object = {}) {
    super(message);
    this.name = 'ApiRefusal';
    this.code = code;
    this.details = details;
  }
}

/** Calls as a browser would: with the cookies it was given last, and the session's token where something changes. */
export interface Caller extends Client {
  readonly call: Call;
  readonly cookies: () => Cookies;
}

/**
 * Speaks the language of the terminal. `url` has no slash at its end; `cookies`: what an earlier caller was left with; `key`:
 * of a program, which has no cookies.
 */
export function createCaller(io: Pick<Io, 'env'>, url: string, cookies: Cookies = {}, key?: string): Caller {
  const jar = new Map(Object.entries(cookies));
  const call: Call = async ({ method, url: path, body, headers }) => {
    const csrf = jar.get('__Host-parkline_csrf') ?? jar.get('parkline_csrf');
    const isFile = body instanceof Blob; // It names its media type itself.
    const reply = await fetch(`${url}${path}`, {
      method,
      headers: {
        'accept-language': terminalLanguage(io),
        ...(key !== undefined && { authorization: `Bearer ${key}` }),
        ...(jar.size > 0 && { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') }),
        ...(csrf && { 'x-csrf-token': csrf }),
        ...(body && !isFile && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body && { body: isFile ? body : JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new Error(`${url} does not answer: is the park running?`, { cause });
    });
    for (const cookie of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    if (!reply.ok) throw await refusalOf(reply);
    return bodyOf(reply);
  };
  return { ...createClient(call), call, cookies: () => Object.fromEntries(jar) };
}

/** What is not JSON is a file. */
function bodyOf(reply: Response): Promise<unknown> | undefined {
  if (reply.status === 204) return undefined;
  return reply.headers.get('content-type')?.startsWith('application/json') ? reply.json() : reply.blob();
}

interface ErrorReply {
  readonly code?: string;
  readonly message?: string;
  readonly details?: readonly { readonly field: string; readonly message: string }[] | Reason;
}

interface Reason {
  readonly why?: string;
  /** Keys of what devices name and nobody described. */
  readonly buses?: readonly string[];
}

async function refusalOf(reply: Response): Promise<ApiRefusal> {
  const { code = '', message, details } = (await reply.json().catch(() => ({}))) as ErrorReply;
  const blamed = Array.isArray(details)
    ? details
        .map(({ field, message: why }: { field: string; message: string }) => `${field}: ${why}`)
        .join('; ')
    : reasonOf((details as Reason | undefined) ?? {});
  return new ApiRefusal(code, [message ?? `HTTP ${reply.status}`, blamed].filter(Boolean).join(' '), details);
}

const reasonOf = ({ why, buses }: Reason): string | undefined =>
  why === 'no_bus' && buses
    ? `Devices are on buses that nobody has described: ${buses.join(', ')}. Correct the bus of the device, or add the bus (Administration, Equipment, Field buses).`
    : why;
