/** What an operation is called where its route does not say: `operationId` for programs, `summary` for readers. */
export interface OperationName {
  /** camelCase, unique by method and path. */
  readonly operationId: string;
  /** A short sentence in English without a full stop. */
  readonly summary: string;
}

const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'replace',
  PATCH: 'change',
  DELETE: 'delete',
};

/** Words that end in s in the singular, too. */
const singularAsItIs = new Set(['equipment', 'status', 'access', 'usage']);

const irregular: Readonly<Record<string, string>> = {
  ...{ people: 'person', leases: 'lease', houses: 'house', buses: 'bus' },
};

/** `usage-points` -> `usage-point`. */
export function singular(word: string): string {
  const dash = word.lastIndexOf('-');
  const [head, last] = [word.slice(0, dash + 1), word.slice(dash + 1)];
  if (singularAsItIs.has(last)) return word;
  const one = irregular[last] ?? last.replace(/ies$/, 'y').replace(/(ch|sh|ss|x)es$/, '$1');
  return head + (one === last ? last.replace(/([^s])s$/, '$1') : one);
}

/** Last segments that are acts: `POST /api/work-orders/:id/accept` accepts an order and makes no accept; `/api/login`. */
const isAct = (method: string, segments: readonly string[]): boolean =>
  method === 'POST' &&
  (segments.length === 1 || segments.at(-2)!.startsWith(':')) &&
  singular(segments.at(-1)!) === segments.at(-1);

/**
 * The name of a route from its method and path: `GET /api/work-orders/:id` -> getWorkOrder, "Get a work order".
 * `isList`: it answers with a page of a list. Pure.
 */
export function operationName(method: string, path: string, isList: boolean): OperationName {
  const segments = path.replace(/^\/(api\/)?/, '').split('/');
  const act = isAct(method, segments) ? segments.at(-1) : undefined;
  const verb = act ?? (isList ? 'list' : (verbs[method] ?? method.toLowerCase()));
  const things = nouns(act ? segments.slice(0, -1) : segments, method === 'POST' && !act);
  const words = things.flatMap((one) => one.split(/[-.]/));
  return {
    operationId: camel([...verb.split('-'), ...words]),
    summary: sentence(verb, things, segments, isList),
  };
}

/** What the path is about: a thing that an id or a single act follows stands in the singular. */
function nouns(segments: readonly string[], makesOne: boolean): string[] {
  return segments.flatMap((segment, i) => {
    if (segment.startsWith(':')) return [];
    const isLast = i === segments.length - 1;
    const isOne = segments[i + 1]?.startsWith(':') ?? false;
    return [isOne || (isLast && makesOne) ? singular(segment) : segment];
  });
}

function sentence(
  verb: string,
  things: readonly string[],
  segments: readonly string[],
  isList: boolean,
): string {
  const [last = '', ...owners] = things.map((one) => one.replaceAll(/[-.]/g, ' ')).toReversed();
  const of = owners.length > 0 ? ` of ${owners.map(withArticle).join(' of ')}` : '';
  const bare = of || isList || !segments.some((one) => one.startsWith(':'));
  const text = `${verb.replaceAll('-', ' ')} ${bare ? last : withArticle(last)}${of}`.trim();
  return text[0]!.toUpperCase() + text.slice(1);
}

function withArticle(thing: string): string {
  if (thing === 'my') return 'one’s own';
  if (singularAsItIs.has(thing)) return `a piece of ${thing}`;
  return `${/^([aeio]|un)/.test(thing) ? 'an' : 'a'} ${thing}`;
}

const camel = (words: readonly string[]): string =>
  words
    .filter(Boolean)
    .map((word, i) => (i === 0 ? word : word[0]!.toUpperCase() + word.slice(1)))
    .join('');
