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

/** Fills parameters in; a line with another action (an include) is empty. */
function substitute(line: string, parameters: Parameters): string {
  let rest = line;
  for (let found = ACTION.exec(rest); found; found = ACTION.exec(rest)) {
    const name = /^\.(\w+)(?:\s*\|.*)?$/.exec(found[1] ?? '')?.[1];
    if (name === undefined) return /^\s*\{\{/.test(line) ? '' : rest.replace(ACTION, '?');
    rest = rest.replace(ACTION, () => parameters.get(name) ?? '');
  }
  return rest;
}

function isTrue(condition: string, parameters: Parameters): boolean {
  const compare = /^(eq|ne)\s+\.(\w+)\s+"([^"]*)"$/.exec(condition);
  if (compare) {
    const [, how, name = '', value] = compare;
    return ((parameters.get(name) ?? '') === value) === (how === 'eq');
  }
  const [, negated, name] = /^(not\s+)?\.(\w+)$/.exec(condition) ?? [];
  if (name === undefined) return false;
  const value = parameters.get(name) ?? '';
  return (value !== '' && value !== 'false' && value !== '0') === (negated === undefined);
}
