/** What a template's parameters are when nobody sets them. */
export type Parameters = ReadonlyMap<string, string>;

const ACTION = /\{\{-?\s*([^]*?)\s*-?\}\}/;

/** A branch that is open: whether its lines count, and whether one of its branches has been taken. */
interface Branch {
  counts: boolean;
  taken: boolean;
  readonly outer: boolean;
}

/**
 * Renders the lines of a Go template as they stand with default parameters. Every line stays in its place, so that line
 * numbers hold: lines of actions and of branches not taken are empty. What cannot be decided without the template's
 * functions counts as false.
 */
export function renderDefaults(lines: readonly string[], parameters: Parameters): string[] {
  const open: Branch[] = [];
  const counts = (): boolean => open.at(-1)?.counts ?? true;
  return lines.map((line) => {
    const control =
      /^\s*\{\{-?\s*(if|else if|else|end|range|with|define|block)\b\s*([^]*?)\s*-?\}\}\s*$/.exec(line);
    if (!control) return counts() ? substitute(line, parameters) : '';
    const [, word, condition = ''] = control;
    const current = open.at(-1);
    if (word === 'end') open.pop();
    else if (word === 'else' || word === 'else if') {
      if (!current) return '';
      const wants = word === 'else' || isTrue(condition, parameters);
      current.counts = current.outer && !current.taken && wants;
      current.taken ||= current.counts;
    } else {
      const yes = word === 'if' && isTrue(condition, parameters);
      open.push({ counts: counts() && yes, taken: yes, outer: counts() });
    }
    return '';
  });
}

/** Fills parameters in, _ where nobody sets one; a line with another action (an include) is empty. */
function substitute(line: string, parameters: Parameters): string {
  let rest = line;
  for (let found = ACTION.exec(rest); found; found = ACTION.exec(rest)) {
    const name = /^\.(\w+)(?:\s*\|.*)?$/.exec(found[1] ?? '')?.[1];
    if (name === undefined) return /^\s*\{\{/.test(line) ? '' : rest.replace(ACTION, '_');
    const value = parameters.get(name);
    rest = rest.replace(ACTION, () => (value ? value : '_'));
  }
  return rest;
}

/** Decides `eq .usage "pv"`, `or (eq ...) (not .x)`, `.x`; anything else is false. */
function isTrue(condition: string, parameters: Parameters): boolean {
  const tokens = condition.match(/"[^"]*"|[()]|[^\s()"]+/g) ?? [];
  let at = 0;
  const isYes = (value: string): boolean => value !== '' && value !== 'false' && value !== '0';
  const operand = (): string => {
    const token = tokens[at++];
    if (token === '(') {
      const value = call(20);
      at += 1; // The closing bracket.
      return value;
    }
    if (token?.startsWith('"')) return token.slice(1, -1);
    return token?.startsWith('.') ? (parameters.get(token.slice(1)) ?? '') : (token ?? '');
  };
  const call = (most: number): string => {
    const name = tokens[at] ?? '';
    if (!['eq', 'ne', 'and', 'or', 'not'].includes(name)) {
      const value = operand();
      return at < tokens.length && tokens[at] !== ')' ? '' : value;
    }
    at += 1;
    const values: string[] = [];
    while (at < tokens.length && tokens[at] !== ')' && values.length < most) values.push(operand());
    const [first = '', ...others] = values;
    const results: Readonly<Record<string, boolean>> = {
      eq: others.includes(first),
      ne: first !== others[0],
      and: values.every(isYes),
      or: values.some(isYes),
      not: !isYes(first),
    };
    return results[name] ? 'true' : '';
  };
  return condition.length < 1_000 && isYes(call(20));
}
