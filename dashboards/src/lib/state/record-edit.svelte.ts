import type { Api } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import type { RecordName, Records } from '../api/places.ts';
import { Resource } from './resource.svelte.ts';
import { Action } from './action.svelte.ts';

/** One thing that is edited: as it was read, saving, and what somebody else made of it meanwhile. */
export class RecordEdit<N extends RecordName> {
  readonly stored = new Resource<Records[N]['view']>();
  readonly action = new Action();
  /** What another saved first, while mine is still in the form. */
  theirs = $state.raw<Records[N]['view']>();
  #mine: Records[N]['body'] | undefined;
  #api: Pick<Api, 'record' | 'changeRecord' | 'removeRecord'>;
  #name: N;

  constructor(api: Pick<Api, 'record' | 'changeRecord' | 'removeRecord'>, name: N) {
    this.#api = api;
    this.#name = name;
  }

  load(id: string): Promise<void> {
    return this.stored.load((signal) => this.#api.record(this.#name, id, signal), { fresh: true });
  }

  /** @returns whether it was saved; otherwise `theirs` or `action.error` says why not. */
  save(body: Records[N]['body']): Promise<boolean> {
    this.#mine = body;
    return this.#save(body, this.stored.data);
  }

  /** Saves mine over what the other made of it: somebody looked at both. */
  keepMine(): Promise<boolean> {
    const over = this.theirs;
    this.theirs = undefined;
    return this.#mine && over ? this.#save(this.#mine, over) : Promise.resolve(false);
  }

  /** Goes on with what the other saved. */
  takeTheirs(): void {
    this.stored.data = this.theirs;
    this.theirs = undefined;
  }

  /** Chooses neither: the next save will meet the other's change again. */
  later(): void {
    this.theirs = undefined;
  }

  remove(): Promise<boolean> {
    const stored = this.stored.data;
    if (!stored) return Promise.resolve(false);
    return this.action.run(() => this.#api.removeRecord(this.#name, stored.id, stored.version));
  }

  close(): void {
    this.stored.close();
  }

  async #save(body: Records[N]['body'], over: Records[N]['view'] | undefined): Promise<boolean> {
    if (!over) return false;
    let stale = false;
    const done = await this.action.run(async () => {
      try {
        this.stored.data = await this.#api.changeRecord(this.#name, over.id, over.version, body);
      } catch (error) {
        const current = staleOf(error);
        if (!current) throw error;
        stale = true;
        this.theirs = current as Records[N]['view'];
      }
    });
    return done && !stale;
  }
}

/** What is there now, when a save was refused because somebody else was first. */
export function staleOf(error: unknown): unknown {
  if (!(error instanceof ApiError) || error.code !== 'stale_edit') return undefined;
  return (error.details as { current?: unknown } | undefined)?.current;
}
