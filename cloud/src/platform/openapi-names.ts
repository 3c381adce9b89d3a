const verbs: Readonly<Record<string, string>> = {
  GET: 'get',
  POST: 'create',
  PUT: 'replace',
  PATCH: 'change',
  DELETE: 'delete',
};

/** Words that end in s in the singular, too, or have none. */
const singularAsItIs = new Set(['equipment', 'status', 'access', 'usage']);

const irregular: Readonly<Record<string, string>> = {
  people: 'person',
  leases: 'lease',
  houses: 'house',
  buses: 'bus',
};

/** `usage-points` -> `usage-point`. */
export function singular(word: string): string {
  const dash = word.lastIndexOf('-');
  const [head, last] = [word.slice(0, dash + 1), word.slice(dash + 1)];
  if (singularAsItIs.has(last)) return word;
  const one = irregular[last] ?? last.replace(/ies$/, 'y').replace(/(ch|sh|ss|x)es$/, '$1');
  return head + (one === last ? last.replace(/([^su])s$/, '$1') : one);
}

/** Last segments that are acts: `POST /api/work-orders/:id/accept` accepts an order and makes no accept; `/api/login`. */
const isAct = (method: string, segments: readonly string[]): boolean =>
  method === 'POST' &&
  (segments.length === 1 || segments.at(-2)!.startsWith(':')) &&
  !singularAsItIs.has(segments.at(-1)!) &&
  singular(segments.at(-1)!) === segments.at(-1);

/**
 * What programs call a route where it does not say itself: `GET /api/work-orders/:id` -> getWorkOrder. camelCase, unique by
 * method and path. `isList`: it answers with a page of a list. Pure.
 */
export function operationName(method: string, path: string, isList: boolean): string {
  const segments = path
    .replace(/^\/(api\/)?/, '')
    .split('/')
    .map((segment, i, all) => (segment === 'me' && i < all.length - 1 ? 'my' : segment));
  const act = isAct(method, segments) ? segments.at(-1) : undefined;
  const verb = act ?? (isList ? 'list' : (verbs[method] ?? method.toLowerCase()));
  const things = nouns(act ? segments.slice(0, -1) : segments, method === 'POST' && !act);
  return camel([...verb.split('-'), ...things.flatMap((one) => one.split(/[-.]/))]);
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

const camel = (words: readonly string[]): string =>
  words
    .filter(Boolean)
    .map((word, i) => (i === 0 ? word : word[0]!.toUpperCase() + word.slice(1)))
    .join('');
