import { type Operations, operations } from './generated/operations.gen.ts';

/** Name of an operation, as `operationId` in the API's description. */
export type OperationId = keyof Operations;

/** What an operation takes: `path`, `query` and `body`, each only where it has one. A body that is a file is a Blob. */
export type Input<K extends OperationId> = Omit<Operations[K]['data'], 'url' | 'headers'>;

/** What it answers when all went well: a Blob where it is a file, undefined where it answers nothing. */
export type Reply<K extends OperationId> = Said<Operations[K]['replies']>;
type Said<R> = R[keyof R] extends infer T ? (undefined extends T ? undefined : T) : never;

/** Operations that answer with pages of a list. */
export type ListId = {
  [K in OperationId]: Reply<K> extends { items: unknown[]; next: string | null } ? K : never;
}[OperationId];

/** One thing of a list. */
export type Item<K extends ListId> = Reply<K> extends { items: (infer T)[] } ? T : never;

/** The body of every refusal. */
export interface ErrorBody {
  readonly code: string;
  readonly message: string;
  readonly details?: unknown;
}

/** What goes behind the question mark; what is undefined does not. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

/** One call, as the transport sends it. */
export interface Request {
  readonly id: OperationId;
  readonly method: string;
  /** Path and query, escaped; starts with a slash. */
  readonly url: string;
  /** A Blob is sent as it is and names its media type itself; anything else goes as JSON. */
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Sends a call and resolves to what a good answer holds, see {@link Reply}; rejects with an error of its own otherwise. */
export type Send = (request: Request) => Promise<unknown>;

/** Beside what the operation takes. */
export interface Options {
  readonly signal?: AbortSignal | undefined;
  /** The version that a change was made on, sent as If-Match: what somebody else saved in between is not overwritten. */
  readonly version?: number | undefined;
  /** Idempotency-Key and the like. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Input may be left out where nothing in it is required. */
type Arguments<I> =
  Record<never, never> extends Given<I>
    ? [input?: Given<I>, options?: Options]
    : [input: Given<I>, options?: Options];
/** Without what cannot be given; what is not given may be undefined, too. */
type Given<T> = { [P in keyof T as T[P] extends undefined ? never : P]: Loose<T[P]> };
type Loose<T> = T extends Blob
  ? T
  : T extends object
    ? { [P in keyof T]: T[P] | (undefined extends T[P] ? undefined : never) }
    : T;

export type Ask = <K extends OperationId>(id: K, ...args: Arguments<Input<K>>) => Promise<Reply<K>>;

export interface Client {
  /** Carries out one operation. */
  readonly ask: Ask;
  /** All items of a list, page by page. */
  readonly all: <K extends ListId>(id: K, ...args: Arguments<Input<K>>) => Promise<Item<K>[]>;
}

const PAGE = 500;

interface Parts {
  readonly path?: Readonly<Record<string, string | number>>;
  readonly query?: Query;
  readonly body?: object;
}

/** The API as typed operations over any transport: a browser with its session, a program with its key. */
export function createClient(send: Send): Client {
  const ask = (id: OperationId, input: Parts = {}, options: Options = {}): Promise<unknown> => {
    const { version, signal } = options;
    const ifMatch = version !== undefined && { 'if-match': `"${version}"` };
    const headers = { ...ifMatch, ...options.headers };
    return send({
      ...{ id, method: operations[id][0], url: addressOf(id, input) },
      ...(input.body && { body: input.body }),
      ...(Object.keys(headers).length > 0 && { headers }),
      ...(signal && { signal }),
    });
  };

  async function all(id: OperationId, input: Parts = {}, options?: Options): Promise<unknown[]> {
    const items: unknown[] = [];
    let after: string | undefined;
    do {
      const query = { limit: PAGE, ...input.query, ...(after && { after }) };
      const page = (await ask(id, { ...input, query }, options)) as { items: unknown[]; next: string | null };
      items.push(...page.items);
      after = page.next ?? undefined;
    } while (after);
    return items;
  }

  // The one place where the table of operations and the types that were generated with it are believed to agree.
  return { ask: ask as Ask, all: all as Client['all'] };
}

/** Path and query of an operation, for what is no call: links, pictures, streams of events. @throws Error naming a parameter that is missing. */
export const hrefOf = <K extends OperationId>(
  id: K,
  ...[input]: Arguments<Pick<Input<K>, keyof Input<K> & ('path' | 'query')>>
): string => addressOf(id, input ?? {});

const addressOf = (id: OperationId, { path = {}, query = {} }: Parts): string =>
  filled(operations[id][1], path) + queryText(query);

/** `/api/faults/{id}` with its values, each escaped. */
const filled = (template: string, values: NonNullable<Parts['path']>): string =>
  template.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${template} needs ${name}`);
    return encodeURIComponent(value);
  });

/** `?a=1&b=2` of what is given; nothing when nothing is. */
export function queryText(query: Query): string {
  const given = Object.entries(query).flatMap(([key, value]): [string, string][] =>
    value === undefined ? [] : [[key, String(value)]],
  );
  return given.length > 0 ? `?${new URLSearchParams(given)}` : '';
}
