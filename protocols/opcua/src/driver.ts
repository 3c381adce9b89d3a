import { type Driver, DriverError, type Found, type PointRef, type Sample } from '@parkline/kit';
import { type Address, addressOf, nodeIdOf, parseAddress, type Root, rootNodeId } from './address.ts';
import { type Asked, follow } from './follow.ts';
import type { Keeper } from './keeper.ts';
import type { Link } from './link.ts';
import { failureOf } from './trouble.ts';
import { badSample, readAt, sampleOf } from './value.ts';
import { signalled, within } from './wait.ts';

export interface OpcuaDriverDeps {
  readonly keeper: Keeper;
  readonly root: Root;
  readonly timeoutMs: number;
  /** The longest that a change waits for its message while nothing is wrong. */
  readonly onTheWayMs: number;
  readonly now: () => number;
  readonly where: string;
}

/** Reads one device of a server that it shares with others. */
export function createOpcuaDriver(deps: OpcuaDriverDeps): Driver {
  const { keeper, root, timeoutMs, onTheWayMs, now, where } = deps;
  const known = new Map<string, Address | DriverError>();
  let open = new AbortController(); // Aborted by close, renewed by connect.

  function addressFor(text: string): Address | DriverError {
    const found = known.get(text) ?? tryParse(text);
    known.set(text, found);
    return found;
  }

  /** The link, for as long as the device is open. */
  function linkFor(signal: AbortSignal): Promise<Link> {
    signalled(signal, where);
    if (open.signal.aborted) throw new DriverError('lost', 'the device was closed', where);
    return keeper.link(signal);
  }

  const answer = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
    within(work, { signal, timeoutMs, where, what: 'answer' });

  return {
    async connect(signal) {
      if (open.signal.aborted) open = new AbortController();
      await linkFor(signal);
    },
    async *browse(signal) {
      const link = await linkFor(signal);
      const start = rootNodeId(root, link.namespaces);
      if (start === undefined) throw noNamespace(root, where);
      yield* variablesBelow(start, { link, root, where, answer: (work) => answer(work, signal) });
    },
    async read(refs, signal) {
      const link = await linkFor(signal);
      const beganAt = now();
      const { asked, samples } = sortOut(refs, addressFor, root, link.namespaces, now);
      if (asked.length === 0) return samples;
      const readings = await answer(
        link.read(asked.map(({ nodeId }) => nodeId)).catch((error: unknown) => {
          throw failureOf(error, link, where);
        }),
        signal,
      );
      const times = { beganAt, at: now() };
      asked.forEach(({ ref, index }, at) => {
        const reading = readings[at]!;
        samples[index] = sampleOf(ref, reading, { beganAt, at: readAt(reading.sourceAt, times) });
      });
      return samples;
    },
    async subscribe(refs, onSample, signal) {
      const link = await linkFor(signal);
      const { asked, samples } = sortOut(refs, addressFor, root, link.namespaces, now);
      for (const sample of samples) if (sample) onSample(sample);
      const device = open.signal;
      await follow({ link, asked, onSample, now, where, onTheWayMs }, AbortSignal.any([signal, device]));
      if (!signal.aborted) throw new DriverError('lost', 'the device was closed', where);
    },
    close() {
      open.abort();
      return Promise.resolve();
    },
  };
}

/** Refs that can be asked for, and the samples of those that cannot: a wrong address concerns its point alone. */
function sortOut(
  refs: readonly PointRef[],
  addressFor: (text: string) => Address | DriverError,
  root: Root,
  namespaces: readonly string[],
  now: () => number,
): { asked: Asked[]; samples: Sample[] } {
  const samples = new Array<Sample>(refs.length);
  const asked: Asked[] = [];
  refs.forEach((ref, index) => {
    const address = addressFor(ref.address);
    const times = { beganAt: now(), at: now() };
    if (address instanceof DriverError) {
      samples[index] = badSample(ref, address.message, times);
      return;
    }
    const nodeId = nodeIdOf(address, root, namespaces);
    if (nodeId === undefined)
      samples[index] = badSample(
        ref,
        `the server has no such namespace; it has ${namespaces.join(', ')}`,
        times,
      );
    else asked.push({ ref, nodeId, index });
  });
  return { asked, samples };
}

function tryParse(text: string): Address | DriverError {
  try {
    return parseAddress(text);
  } catch (error) {
    if (error instanceof DriverError) return error;
    throw error;
  }
}

const noNamespace = ({ namespaceUri }: Root, where: string): DriverError =>
  new DriverError(
    'config',
    `the server has no namespace ${namespaceUri}: check the parameter namespace`,
    where,
  );

interface BrowseDeps {
  readonly link: Link;
  readonly root: Root;
  readonly where: string;
  readonly answer: <T>(work: Promise<T>) => Promise<T>;
}

/** Nodes looked below in one request: few enough that a slow server shows progress. */
const BROWSE_NODES = 50;

/** Every variable below a node, near ones first. A node that is met twice is shown once. */
async function* variablesBelow(start: string, deps: BrowseDeps): AsyncGenerator<Found> {
  const { link, root, where, answer } = deps;
  const seen = new Set([start]);
  const waiting = [start];
  while (waiting.length > 0) {
    const nodes = waiting.splice(0, BROWSE_NODES);
    const below = await answer(link.children(nodes));
    const [first] = below;
    if (nodes[0] === start && first && !Array.isArray(first))
      throw new DriverError('refused', `the server does not show ${start}: ${first.name}`, where);
    // Deeper down a node that is not shown is passed over: the rest is worth seeing.
    for (const child of below.flatMap((children) => (Array.isArray(children) ? children : []))) {
      if (seen.has(child.nodeId)) continue;
      seen.add(child.nodeId);
      waiting.push(child.nodeId);
      if (!child.isVariable) continue;
      // Reading only: nothing is offered for writing, whatever the server would allow.
      yield { address: addressOf(child, root, link.namespaces), label: child.label, writable: false };
    }
  }
}
