import { setTimeout as sleep } from 'node:timers/promises';
import { DriverError, type PointRef, type WriteOrder, type Written } from '@parkline/kit';
import { encode } from './encode.ts';
import { access, type Description, type Link } from './link.ts';
import { wordsOf } from './status.ts';
import { readAt, sampleOf, severityOf } from './value.ts';

export interface PutDeps {
  readonly link: Link;
  readonly nodeId: string;
  readonly where: string;
  readonly now: () => number;
  readonly answer: <T>(work: Promise<T>) => Promise<T>;
}

/** A server in front of a controller may show the old value until the controller's next round, ms. */
const SETTLE_MS = 2_000;
const LOOK_MS = 100;

/**
 * Writes one value by the type of its variable and reads it back.
 * @throws DriverError 'config' for a value that the variable cannot hold exactly, 'refused' when it must not be written.
 */
export async function put(order: WriteOrder, deps: PutDeps): Promise<Written> {
  const { link, nodeId, where, answer } = deps;
  const { ref, value } = order;
  if (value === null)
    throw new DriverError('config', 'OPC UA has no priorities to give a point back to: write a value', where);
  const [variable] = await answer(link.describe([nodeId]));
  const type = writableType(variable!, deps);
  const encoding = encode(value, type, ref);
  if (!encoding.ok) throw new DriverError('config', `${encoding.why}; nothing was written`, where);
  const status = await answer(link.write(nodeId, encoding.encoded));
  if (severityOf(status) !== 'good')
    throw new DriverError('refused', `not written: ${wordsOf(status)}`, where);
  return readBack(ref, value, deps);
}

/** @throws DriverError when the variable is not there, is read only for this login, or holds no single value. */
function writableType(
  { reading, type, isArray, may, userMay }: Description,
  { nodeId, where }: PutDeps,
): string {
  const refused = (why: string): DriverError => new DriverError('refused', `${nodeId}: ${why}`, where);
  if (/^Bad(NodeId|AttributeId)/.test(reading.status.name)) throw refused(wordsOf(reading.status));
  if (may !== undefined && (may & access.write) === 0) throw refused('the variable is read only');
  if (userMay !== undefined && (userMay & access.write) === 0)
    throw refused(
      'this login may not write it: give it the right on the server, or log in as a user who has it',
    );
  if (isArray) throw new DriverError('config', `${nodeId}: an array is not written`, where);
  if (type === undefined)
    throw new DriverError('config', `${nodeId}: the server does not say of which type it is`, where);
  return type;
}

/** The device's word is not enough: what counts is what it shows, as soon as it has had time to. */
async function readBack(ref: PointRef, wanted: number, deps: PutDeps): Promise<Written> {
  const { link, nodeId, now, answer } = deps;
  const until = performance.now() + SETTLE_MS;
  for (;;) {
    const beganAt = now();
    const [reading] = await answer(link.read([nodeId]));
    const times = { beganAt, at: now() };
    const { value, why, at } = sampleOf(ref, reading!, { beganAt, at: readAt(reading!.sourceAt, times) });
    if (value === wanted) return { state: 'done', at, readBack: value };
    if (performance.now() >= until) {
      const detail =
        value === null ? `it shows no value: ${why ?? 'bad'}` : `it shows ${value} in place of ${wanted}`;
      return { state: 'differs', at, readBack: value, detail };
    }
    await answer(sleep(LOOK_MS));
  }
}
