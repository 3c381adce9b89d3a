import type { FactorKind, LoginBody, Me } from '@parkline/contract';
import { createContext } from 'svelte';
import type { Api } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import { areasOf, startAreaOf, type Area } from '../area/areas.ts';

/** Who is here. The cookie belongs to the browser; this class only knows whom the server sees. */
export class Session {
  me = $state.raw<Me>();
  /** `ended`: somebody was logged in and no longer is. `owing`: the second factor is still to be given, or enrolled. */
  state = $state<'asking' | 'in' | 'owing' | 'out' | 'ended'>('asking');
  /** What can be given while `owing`; nothing where the first one has to be enrolled. */
  kinds = $state.raw<readonly FactorKind[]>([]);
  /** Why the server could not say who this is; undefined once it could. */
  error = $state.raw<ApiError>();
  #api: Pick<Api, 'session' | 'me' | 'login' | 'logout'>;

  constructor(api: Pick<Api, 'session' | 'me' | 'login' | 'logout'>) {
    this.#api = api;
  }

  get startPage(): string {
    const area = startAreaOf(this.me?.roles ?? []);
    return area ? `/${area}` : '/login';
  }

  /** The parts of the portal that this person works in. */
  get areas(): readonly Area[] {
    return areasOf(this.me?.roles ?? []);
  }

  /** Asks the server who this is. A server that cannot say leaves the state as it was and `error` set. */
  async ask(): Promise<void> {
    try {
      const { active, stage = 'open', kinds = [] } = await this.#api.session();
      if (!active) return this.#nobody();
      this.kinds = kinds;
      if (stage !== 'open') return this.#owing();
      this.me = await this.#api.me();
      this.state = 'in';
      this.error = undefined;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401)
        this.#nobody(); // The session ended between the two questions.
      else this.error = error;
    }
  }

  #owing(): void {
    this.error = undefined;
    this.me = undefined;
    this.state = 'owing';
  }

  #nobody(): void {
    this.error = undefined;
    this.me = undefined;
    // Several questions at once may all be told so: the first answer is what the person has to know.
    this.state = this.state === 'in' || this.state === 'ended' ? 'ended' : 'out';
  }

  /** @throws ApiError 401 for a wrong name or password, 429 after too many. The second factor may be owed then. */
  async login(body: LoginBody): Promise<void> {
    await this.#api.login(body);
    await this.ask();
  }

  /** @throws ApiError when the server could not be told; whoever was in still is. */
  async logout(): Promise<void> {
    const before = this.state;
    // The page goes first, and with it what it still reads: that would be refused once the session is over.
    this.state = 'asking';
    try {
      await this.#api.logout();
    } catch (error) {
      this.state = before;
      throw error;
    }
    this.state = 'out';
    this.me = undefined;
  }
}

/** The page to go back to after logging in: only a path of ours, never another site. */
export function returnPath(search: Pick<URLSearchParams, 'get'>, fallback: string): string {
  const path = search.get('back');
  return path && /^\/(?![/\\])/.test(path) && !path.startsWith('/login') ? path : fallback;
}

export const [getSession, setSession] = createContext<Session>();
