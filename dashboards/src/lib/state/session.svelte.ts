import type { FactorKind, LoginBody, Me } from '@parkline/contract';
import { createContext } from 'svelte';
import { type Api, queryText } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import { areasOf, startAreaOf, type Area } from '../area/areas.ts';

type SessionApi = Pick<Api, 'session' | 'me' | 'login' | 'logout'>;

/** What the session needs of the tab that it is in. */
export interface SessionTab {
  /** What the browser holds beside the session's cookie; undefined without one. Each session has another. */
  token(): string | undefined;
  /** The page on screen is another person's: it begins anew. */
  beginAnew(): void;
}

/** Who is here. The cookie belongs to the browser; this class only knows whom the server sees. */
export class Session {
  /** Whom the page is drawn for: also while that person has to log in again over it. */
  me = $state.raw<Me>();
  /** `ended`: somebody was logged in and no longer is. `owing`: the second factor is still to be given, or enrolled. */
  state = $state<'asking' | 'in' | 'owing' | 'out' | 'ended'>('asking');
  /** What can be given while `owing`; nothing where the first one has to be enrolled. */
  kinds = $state.raw<readonly FactorKind[]>([]);
  /** Why the server could not say who this is; undefined once it could. */
  error = $state.raw<ApiError>();
  readonly #api: SessionApi;
  readonly #tab: SessionTab;
  #return: Promise<boolean> | undefined;
  #answer: ((isBack: boolean) => void) | undefined;
  #token: string | undefined;

  constructor(api: SessionApi, tab: SessionTab) {
    this.#api = api;
    this.#tab = tab;
  }

  /** Whether a page is drawn. It stays while its person has to log in again, and with it what was typed. */
  get isOpen(): boolean {
    return this.me !== undefined && this.state !== 'asking';
  }

  /** The person of the page has to log in again, or to give a second factor, before anything goes on. */
  get isInterrupted(): boolean {
    return this.me !== undefined && (this.state === 'ended' || this.state === 'owing');
  }

  /** Whether to ask who is here: the page is interrupted, or another page of this browser began a session since. */
  get isDoubtful(): boolean {
    return this.isInterrupted || (this.state === 'in' && this.#tab.token() !== this.#token);
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
    const token = this.#tab.token();
    try {
      const { active, stage = 'open', kinds = [] } = await this.#api.session();
      this.error = undefined;
      if (!active) return this.#nobody();
      if (stage !== 'open') return this.#owing(kinds);
      this.kinds = kinds;
      this.#somebody(await this.#api.me());
      this.#token = token;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401)
        this.#nobody(); // The session ended between the two questions.
      else this.error = error;
    }
  }

  #somebody(me: Me): void {
    if (this.me && this.me.id !== me.id) {
      this.state = 'asking'; // What is drawn is none of theirs.
      return this.#tab.beginAnew();
    }
    // Told the same again, a page would read everything anew, and drop what is being typed.
    if (JSON.stringify(me) !== JSON.stringify(this.me)) this.me = me;
    this.state = 'in';
    this.#settle(true);
  }

  #owing(kinds: readonly FactorKind[]): void {
    this.kinds = kinds;
    this.state = 'owing';
    // The first factor comes with codes that are shown once: that has a page to itself, which nothing takes away.
    if (kinds.length === 0) this.#giveUp();
  }

  #giveUp(): void {
    this.me = undefined;
    this.#settle(false);
  }

  #nobody(): void {
    // Several questions at once may all be told so: the first answer is what the person has to know.
    const ended = this.me !== undefined || this.state === 'ended' || this.#tab.token() !== undefined;
    this.state = ended ? 'ended' : 'out';
  }

  /** While interrupted: resolves when the person of the page is back, or, to false, once the page is given up. */
  back(): Promise<boolean> {
    if (!this.isInterrupted) return Promise.resolve(this.state === 'in');
    this.#return ??= new Promise((resolve) => (this.#answer = resolve));
    return this.#return;
  }

  #settle(isBack: boolean): void {
    this.#answer?.(isBack);
    this.#answer = this.#return = undefined;
  }

  /** @throws ApiError 401 for a wrong name or password, 429 after too many. The second factor may be owed then. */
  async login(body: LoginBody): Promise<void> {
    await this.#api.login(body);
    await this.ask();
  }

  /** Ends the session, if there is one, and gives the page up. @throws ApiError when the server could not be told; whoever was in still is. */
  async logout(): Promise<void> {
    const before = this.state;
    // The page goes first, and with it what it still reads: that would be refused once the session is over.
    this.state = 'asking';
    try {
      if (before !== 'ended') await this.#api.logout();
    } catch (error) {
      const isOver = error instanceof ApiError && error.status === 401;
      if (!isOver) {
        this.state = before;
        throw error;
      }
    }
    this.state = 'out';
    this.#giveUp();
  }
}

/** Where somebody logs in who asked for `here`, and comes back from. */
export const loginPath = ({ state }: Pick<Session, 'state'>, here?: string): string =>
  `/login${queryText({ ended: state === 'ended' ? '' : undefined, back: here })}`;

/** The page to go back to after logging in: only a path of ours, never another site. */
export function returnPath(search: Pick<URLSearchParams, 'get'>, fallback: string): string {
  const path = search.get('back');
  return path && /^\/(?![/\\])/.test(path) && !path.startsWith('/login') ? path : fallback;
}

export const [getSession, setSession] = createContext<Session>();
