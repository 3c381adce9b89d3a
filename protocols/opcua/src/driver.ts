import { type Driver, DriverError, type PointRef, type Sample } from '@parkline/kit';
import { type Address, nodeIdOf, parseAddress, type Root, rootNodeId } from './address.ts';
import { variablesBelow } from './browse.ts';
import { type Asked, follow } from './follow.ts';
import type { Keeper } from './keeper.ts';
import type { Link } from './link.ts';
import { pastOf } from './past.ts';
import { put } from './put.ts';
import { failureOf } from './trouble.ts';
import { badSample, readAt, sampleOf } from './value.ts';
import { signalled, within } from './wait.ts';

export interface OpcuaDriverDeps {
  readonly keeper: Keeper;
  readonly root: Root;
  readonly timeoutMs: number;
  /** The longest that a change is on its way while nothing is wrong, the server's interval between messages apart. */
  readonly onTheWayMs: number;
  readonly now: () => number;
  readonly where: string;
}

/** How a point says that its own variable keeps its history. */
const SELF = 'self';
/** A page of history takes a server longer than a reading, ms. */
const HISTORY_MS = 30_000;

/** Reads and writes one device of a server that it shares with others. */
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

  /** What the server answers, in our words where it does not. */
  const answer = <T>(work: Promise<T>, link: Link, signal: AbortSignal, ms = timeoutMs): Promise<T> =>
    within(
      work.catch((error: unknown) => {
        throw failureOf(error, link, where);
      }),
      { signal, timeoutMs: ms, where, what: 'answer' },
    );

  /** @throws DriverError 'config' for an address that is wrong, or that this server cannot have. */
  function nodeFor(text: string, link: Link): string {
    const address = addressFor(text);
    if (address instanceof DriverError) throw address;
    const nodeId = nodeIdOf(address, root, link.namespaces);
    if (nodeId === undefined) throw new DriverError('config', `${text}: ${noSuchNamespace(link)}`, where);
    return nodeId;
  }

  return {
    async connect(signal) {
      if (open.signal.aborted) open = new AbortController();
      await linkFor(signal);
    },
    async *browse(signal) {
      const link = await linkFor(signal);
      const start = rootNodeId(root, link.namespaces);
      if (start === undefined) throw noNamespace(root, where);
      yield* variablesBelow(start, { link, root, where, answer: (work) => answer(work, link, signal) });
    },
    async read(refs, signal) {
      const link = await linkFor(signal);
      const beganAt = now();
      const { asked, samples } = sortOut(refs, addressFor, root, link.namespaces, now);
      if (asked.length === 0) return samples;
      const readings = await answer(link.read(asked.map(({ nodeId }) => nodeId)), link, signal);
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
    async write(order, signal) {
      const link = await linkFor(signal);
      const nodeId = nodeFor(order.ref.address, link);
      return put(order, { link, nodeId, where, now, answer: (work) => answer(work, link, signal) });
    },
    async *history(ref, from, to, signal) {
      const { history, address } = ref;
      if (history === undefined)
        throw new DriverError(
          'config',
          `no history is declared for ${address}: set history to 'self'`,
          where,
        );
      const link = await linkFor(signal);
      const nodeId = nodeFor(history === SELF ? address : history, link);
      const patient = <T>(work: Promise<T>): Promise<T> => answer(work, link, signal, HISTORY_MS);
      yield* pastOf({ link, ref, nodeId, where, answer: patient }, from, to);
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
    if (nodeId === undefined) samples[index] = badSample(ref, noSuchNamespace({ namespaces }), times);
    else asked.push({ ref, nodeId, index });
  });
  return { asked, samples };
}

const noSuchNamespace = ({ namespaces }: Pick<Link, 'namespaces'>): string =>
  `the server has no such namespace; it has ${namespaces.join(', ')}`;

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
