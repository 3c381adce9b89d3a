import type { LoginBody, Me, Role } from '@parkline/contract';
import { createContext } from 'svelte';
import type { Api } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';

/** The page a role starts its day on. */
const startPages: Record<Role, string> = { facility_engineer: '/engineer', account_admin: '/engineer' };

/** Who is here. The cookie belongs to the browser; this class only knows whom the server sees. */
export class Session {
  me = $state.raw<Me>();
  /** `ended`: somebody was logged in and no longer is. */
  state = $state<'asking' | 'in' | 'out' | 'ended'>('asking');
  #api: Pick<Api, 'me' | 'login' | 'logout'>;

  constructor(api: Pick<Api, 'me' | 'login' | 'logout'>) {
    this.#api = api;
  }

  get startPage(): string {
    const role = this.me?.roles[0];
    return role ? startPages[role] : '/login';
  }

  /** Asks the server who this is. @throws ApiError for anything but "nobody". */
  async ask(): Promise<void> {
    try {
      this.me = await this.#api.me();
      this.state = 'in';
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      this.me = undefined;
      this.state = 'out';
    }
  }

  /** @throws ApiError 401 for a wrong name or password, 429 after too many. */
  async login(body: LoginBody): Promise<void> {
    await this.#api.login(body);
    await this.ask();
  }

  async logout(): Promise<void> {
    await this.#api.logout();
    this.me = undefined;
    this.state = 'out';
  }

  /** The server refused the cookie: it ran out, or was ended elsewhere. */
  ended(): void {
    this.me = undefined;
    this.state = 'ended';
  }
}

/** The page to go back to after logging in: only a path of ours, never another site. */
export function returnPath(search: URLSearchParams, fallback: string): string {
  const path = search.get('back');
  return path && /^\/(?![/\\])/.test(path) && !path.startsWith('/login') ? path : fallback;
}

export const [getSession, setSession] = createContext<Session>();
