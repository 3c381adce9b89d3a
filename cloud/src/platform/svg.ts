import sax from 'sax';

/** An SVG that does nothing but draw. */
export interface CleanSvg {
  readonly text: string;
  readonly width: number;
  readonly height: number;
}
export type SvgResult =
  | { readonly ok: true; readonly svg: CleanSvg }
  | { readonly ok: false; readonly why: 'unreadable' | 'too_many_elements' | 'no_size' };

interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: (Element | string)[];
}

const MAX_ELEMENTS = 100_000;
const MAX_DEPTH = 64;

/** What draws. Nothing that runs, fetches, listens, animates or multiplies (script, style, foreignObject, image, a, pattern, filter). */
const elements = new Set([
  ...[
    'svg',
    'g',
    'defs',
    'symbol',
    'use',
    'path',
    'rect',
    'circle',
    'ellipse',
    'line',
    'polyline',
    'polygon',
  ],
  ...['text', 'tspan', 'title', 'desc', 'linearGradient', 'radialGradient', 'stop', 'clipPath'],
]);

/** Looks: also taken out of `style`. */
const looks = [
  ...['fill', 'fill-opacity', 'fill-rule', 'stroke', 'stroke-width', 'stroke-opacity', 'stroke-linecap'],
  ...['stroke-linejoin', 'stroke-dasharray', 'stroke-dashoffset', 'stroke-miterlimit', 'opacity', 'display'],
  ...[
    'visibility',
    'color',
    'clip-path',
    'clip-rule',
    'stop-color',
    'stop-opacity',
    'font-family',
    'font-size',
  ],
  ...['font-style', 'font-weight', 'text-anchor', 'dominant-baseline', 'letter-spacing', 'vector-effect'],
];
const attributes = new Set([
  ...looks,
  ...[
    'id',
    'd',
    'x',
    'y',
    'x1',
    'y1',
    'x2',
    'y2',
    'cx',
    'cy',
    'r',
    'rx',
    'ry',
    'dx',
    'dy',
    'fx',
    'fy',
    'offset',
  ],
  ...['width', 'height', 'points', 'transform', 'viewBox', 'preserveAspectRatio', 'gradientUnits'],
  ...['gradientTransform', 'spreadMethod', 'clipPathUnits', 'textLength', 'lengthAdjust', 'rotate', 'href'],
]);

/** Letters and signs of numbers, colours, paths and names; a reference is one to the same drawing. */
const VALUE = /^[\p{L}\p{N}\s.,#%()+'"/:;-]*$/u;
const REFERENCE = /^url\(\s*["']?#[\w.:-]+["']?\s*\)(?:\s+[\w#()., %-]+)?$/;

/**
 * Reads an SVG with a real parser and writes anew what is on the list of elements and attributes; the rest is left out.
 * Pure. Entities, internal or external, are never resolved: a document that defines some is refused.
 */
export function cleanSvg(text: string): SvgResult {
  const read = parse(text);
  if (typeof read === 'string') return { ok: false, why: read };
  const size = sizeOf(read);
  if (!size) return { ok: false, why: 'no_size' };
  const multiplying = idsThatUse(read);
  const [x, y, width, height] = size;
  const root: Element = {
    ...read,
    attributes: new Map([
      ...[...read.attributes].filter(([name]) => !['width', 'height', 'viewBox', 'x', 'y'].includes(name)),
      ['viewBox', `${x} ${y} ${width} ${height}`],
      ['width', String(width)],
      ['height', String(height)],
    ]),
  };
  return { ok: true, svg: { text: write(root, multiplying, true), width, height } };
}

function parse(text: string): Element | 'unreadable' | 'too_many_elements' {
  const parser = sax.parser(true, { xmlns: true, position: false });
  const stack: (Element | undefined)[] = [];
  let root: Element | undefined;
  let count = 0;
  let why: 'unreadable' | 'too_many_elements' | undefined;
  parser.onerror = () => {
    why ??= 'unreadable';
    parser.resume();
  };
  // Definitions inside of it are how entities come in.
  parser.ondoctype = (doctype) => {
    if (doctype.includes('[')) why ??= 'unreadable';
  };
  parser.onopentag = (tag) => {
    count += 1;
    if (count > MAX_ELEMENTS || stack.length >= MAX_DEPTH) why ??= 'too_many_elements';
    const parent = stack.at(-1);
    const isFirst = stack.length === 0;
    const element = why ? undefined : allowed(tag as sax.QualifiedTag, isFirst);
    if (isFirst) root = element;
    else if (element && parent) parent.children.push(element);
    // What is left out takes everything in it along.
    stack.push(isFirst || parent ? element : undefined);
  };
  parser.onclosetag = () => void stack.pop();
  parser.ontext = parser.oncdata = (said) => {
    const parent = stack.at(-1);
    if (parent && ['text', 'tspan', 'title', 'desc'].includes(parent.name)) parent.children.push(said);
  };
  // In pieces, so that a document beyond the limits is not read to its end.
  for (let at = 0; at < text.length && !why; at += 65_536) parser.write(text.slice(at, at + 65_536));
  if (!why) parser.close();
  return why ?? (root?.name === 'svg' ? root : 'unreadable');
}

const SVG = 'http://www.w3.org/2000/svg';

function allowed({ local, uri, attributes: given }: sax.QualifiedTag, isRoot: boolean): Element | undefined {
  if (uri !== SVG || !elements.has(local) || (local === 'svg') !== isRoot) return undefined;
  const kept = new Map<string, string>();
  for (const { prefix, local: name, value } of Object.values(given)) {
    if (prefix === '' && name === 'style') for (const [look, said] of looksOf(value)) kept.set(look, said);
    else if (prefix === '' || (prefix === 'xlink' && name === 'href')) {
      const said = safe(name, value);
      if (said !== undefined) kept.set(name, said);
    }
  }
  return { name: local, attributes: kept, children: [] };
}

function safe(name: string, value: string): string | undefined {
  if (!attributes.has(name)) return undefined;
  if (name === 'href') return /^#[\w.:-]+$/.test(value) ? value : undefined;
  if (name === 'id') return /^[\w.:-]{1,200}$/.test(value) ? value : undefined;
  if (/url\s*\(/i.test(value)) return REFERENCE.test(value) ? value : undefined;
  return VALUE.test(value) && !/script:|data:/i.test(value) ? value : undefined;
}

const looksOf = (style: string): [string, string][] =>
  style.split(';').flatMap((one): [string, string][] => {
    const [name = '', ...rest] = one.split(':');
    const look = name.trim().toLowerCase();
    const value = looks.includes(look) ? safe(look, rest.join(':').trim()) : undefined;
    return value === undefined ? [] : [[look, value]];
  });

/** x, y, width and height of what is shown, in whole units of a plan; undefined: it does not say. */
function sizeOf({ attributes: given }: Element): [number, number, number, number] | undefined {
  const box = given
    .get('viewBox')
    ?.trim()
    .split(/[\s,]+/)
    .map(Number);
  const numbers =
    box?.length === 4 ? box : [0, 0, ...['width', 'height'].map((side) => parseFloat(given.get(side) ?? ''))];
  const [x = NaN, y = NaN, width = NaN, height = NaN] = numbers;
  if (![x, y, width, height].every(Number.isFinite) || width <= 0 || height <= 0) return undefined;
  return width > 1e6 || height > 1e6 || width / height > 1_000 || height / width > 1_000
    ? undefined
    : [x, y, width, height];
}

/** Ids of elements in which others are used: a use of one of those would multiply without an end in sight. */
function idsThatUse(root: Element): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (element: Element): boolean => {
    let uses = element.name === 'use';
    for (const child of element.children) if (typeof child !== 'string') uses = visit(child) || uses;
    const id = element.attributes.get('id');
    if (uses && id !== undefined) found.add(id);
    return uses;
  };
  visit(root);
  return found;
}

function write(
  { name, attributes: given, children }: Element,
  multiplying: ReadonlySet<string>,
  isRoot = false,
  isClip = false,
): string {
  const target = given.get('href')?.slice(1);
  if (name === 'use' && (target === undefined || multiplying.has(target))) return '';
  const inClip = isClip || name === 'clipPath';
  const said = [...given].filter(([attribute]) => !(inClip && attribute === 'clip-path'));
  const text = said.map(([attribute, value]) => ` ${attribute}="${escaped(value)}"`).join('');
  const inner = children
    .map((child) => (typeof child === 'string' ? escaped(child) : write(child, multiplying, false, inClip)))
    .join('');
  return `<${name}${isRoot ? ` xmlns="${SVG}"` : ''}${text}>${inner}</${name}>`;
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
