import { type Operations, operations } from './generated/operations.gen.ts';

/** Name of an operation, as `operationId` in the API's description. */
export type OperationId = keyof Operations;

/** What an operation takes: `path`, `query` and `body`, each only where it has one. */
export type Input<K extends OperationId> = Omit<Operations[K]['data'], 'url'>;

/** What it answers when all went well; undefined where it answers nothing. */
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

/** One call, as the transport sends it. */
export interface Request {
  readonly method: string;
  /** With its parameters filled in; starts with a slash. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** Sends a call and resolves to the parsed body of a good answer; rejects with an error of its own otherwise. */
export type Send = (request: Request) => Promise<unknown>;

/** Beside what the operation takes. */
export interface Options {
  readonly signal?: AbortSignal | undefined;
  /** If-Match, Idempotency-Key and the like. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Input may be left out where nothing in it is required. */
type Arguments<K extends OperationId> =
  Record<never, never> extends Given<Input<K>>
    ? [input?: Given<Input<K>>, options?: Options]
    : [input: Given<Input<K>>, options?: Options];
/** Without what cannot be given; what is not given may be undefined, too. */
type Given<T> = { [P in keyof T as T[P] extends undefined ? never : P]: Loose<T[P]> };
type Loose<T> = T extends object
  ? { [P in keyof T]: T[P] | (undefined extends T[P] ? undefined : never) }
  : T;

export type Ask = <K extends OperationId>(id: K, ...args: Arguments<K>) => Promise<Reply<K>>;

export interface Client {
  /** Carries out one operation. */
  readonly ask: Ask;
  /** All items of a list, page by page. */
  readonly all: <K extends ListId>(id: K, ...args: Arguments<K>) => Promise<Item<K>[]>;
}

const PAGE = 500;

interface Parts {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Request['query'];
  readonly body?: object;
}

/** The API as typed operations over any transport: a browser with its session, a program with its key. */
export function createClient(send: Send): Client {
  const ask = (id: OperationId, input: Parts = {}, { signal, headers }: Options = {}): Promise<unknown> => {
    const [method, template] = operations[id];
    const { path = {}, query = {}, body } = input;
    return send({
      ...{ method, path: filled(template, path), query },
      ...(body && { body }),
      ...(headers && { headers }),
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

/** `/api/faults/{id}` with its values, each escaped. @throws Error naming a parameter that is missing. */
const filled = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replace(/\{(\w+)\}/g, (_whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`${template} needs ${name}`);
    return encodeURIComponent(value);
  });
