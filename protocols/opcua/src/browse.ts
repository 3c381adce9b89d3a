import { DriverError, type Found } from '@parkline/kit';
import { addressOf, type Root } from './address.ts';
import { access, type Child, type Description, type Link } from './link.ts';
import { wordsOf } from './status.ts';
import { type Reading, severityOf, shortestFloat32 } from './value.ts';

export interface BrowseDeps {
  readonly link: Link;
  readonly root: Root;
  readonly where: string;
  /** What the server answers, unless patience ends first. */
  readonly answer: <T>(work: Promise<T>) => Promise<T>;
}

/** Nodes looked below in one step: few enough that a slow server shows progress. */
const STEP = 50;
/** Deeper and wider than any plant is modelled; a server that makes up nodes as it is asked must not be followed for ever. */
const MOST_DEPTH = 30;
const MOST_NODES = 100_000;
/** The server's word on itself (Server, OPC 10000-5): hundreds of variables that are no measurements. */
const SERVER = 'ns=0;i=2253';

/**
 * Every variable below a node, near ones first. A node that is met twice is shown once, so that a circle has an end.
 * @throws DriverError 'refused' when the server does not show the start, or when there is more than can be meant.
 */
export async function* variablesBelow(start: string, deps: BrowseDeps): AsyncGenerator<Found> {
  const { link, where, answer } = deps;
  const seen = new Set([start, SERVER]);
  let level: string[] = [start];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth >= MOST_DEPTH) throw tooMuch(`goes on below ${MOST_DEPTH} levels`, where);
    const next: string[] = [];
    for (let at = 0; at < level.length; at += STEP) {
      const below = await answer(link.children(level.slice(at, at + STEP)));
      const [first] = below;
      if (depth === 0 && first && !Array.isArray(first))
        throw new DriverError('refused', `the server does not show ${start}: ${wordsOf(first)}`, where);
      // Deeper down a node that is not shown is passed over: the rest is worth seeing.
      const children = below
        .flatMap((found) => (Array.isArray(found) ? found : []))
        .filter(({ nodeId, isProperty }) => !isProperty && !seen.has(nodeId) && seen.add(nodeId));
      if (seen.size > MOST_NODES) throw tooMuch(`has more than ${MOST_NODES} nodes`, where);
      next.push(...children.map(({ nodeId }) => nodeId));
      const variables = children.filter(({ isVariable }) => isVariable);
      for (let from = 0; from < variables.length; from += STEP)
        yield* described(variables.slice(from, from + STEP), deps);
    }
    level = next;
  }
}

const tooMuch = (what: string, where: string): DriverError =>
  new DriverError('refused', `the tree ${what}: browse from a root further down`, where);

async function* described(variables: readonly Child[], deps: BrowseDeps): AsyncGenerator<Found> {
  const { link, root, answer } = deps;
  const nodeIds = variables.map(({ nodeId }) => nodeId);
  const descriptions = await answer(link.describe(nodeIds));
  const units = await unitsOf(nodeIds, deps);
  for (const [index, variable] of variables.entries()) {
    const description = descriptions[index]!;
    yield {
      address: addressOf(variable, root, link.namespaces),
      label: variable.label,
      writable: mayDo(description, access.write) && !description.isArray,
      facts: factsOf(description, units[index]),
    };
  }
}

/** The text of each variable's EngineeringUnits (OPC 10000-8 clause 5.6.3). */
async function unitsOf(
  nodeIds: readonly string[],
  { link, answer }: BrowseDeps,
): Promise<(string | undefined)[]> {
  const below = await answer(link.children(nodeIds));
  const properties = below.map((found) =>
    Array.isArray(found)
      ? found.find(({ isProperty, name }) => isProperty && name === 'EngineeringUnits')?.nodeId
      : undefined,
  );
  const asked = properties.filter((nodeId) => nodeId !== undefined);
  const readings = asked.length > 0 ? await answer(link.read(asked)) : [];
  return properties.map((nodeId) =>
    nodeId === undefined ? undefined : unitText(readings[asked.indexOf(nodeId)]),
  );
}

function unitText(reading: Reading | undefined): string | undefined {
  const { displayName } = (reading?.value ?? {}) as { displayName?: { text?: unknown } };
  return typeof displayName?.text === 'string' ? displayName.text : undefined;
}

const mayDo = ({ may = 0, userMay = may }: Description, bit: number): boolean => (may & userMay & bit) !== 0;

function factsOf(description: Description, unit: string | undefined): Record<string, string> {
  const { reading, type, isArray } = description;
  return {
    type: `${type ?? 'unknown'}${isArray ? '[]' : ''}`,
    value: textOf(reading),
    ...(unit !== undefined && { unit }),
    ...(mayDo(description, access.history) && { history: 'self' }),
  };
}

/** Longest text of a value that is shown. */
const MOST_TEXT = 60;

function textOf(reading: Reading): string {
  const { status, value, type, isArray } = reading;
  if (severityOf(status) === 'bad') return status.name;
  if (isArray) return `${(value as { length?: number } | null)?.length ?? 0} values`;
  if (type === 'Float' && typeof value === 'number') return String(shortestFloat32(value));
  if (typeof value === 'object' && value !== null && !(value instanceof Date)) return type;
  return (value instanceof Date ? value.toISOString() : String(value)).slice(0, MOST_TEXT);
}
