import { type Driver, DriverError, type DriverModule, type PointRef, type Sample } from '@parkline/kit';

/**
 * A driver with every vice, for a thread of its own: it does what the address of a point says. 'value' answers with the number
 * of reads since its thread began, and 'count' is never pushed.
 */
export const driver: DriverModule = {
  protocol: 'misbehaving',
  openConnection(params, { log }) {
    const { refuse } = (params ?? {}) as { refuse?: boolean };
    if (refuse) throw new DriverError('config', 'port is missing', 'bus');
    return {
      device(device) {
        if ((device as { unit?: number }).unit === 999)
          throw new DriverError('config', 'unit 999 is out of range', 'bus');
        return misbehaving();
      },
      async *discover({ from = 1, to = 3 }) {
        for (let unit = from; unit <= to; unit += 1) {
          await Promise.resolve();
          log.info({ unit, err: new Error('just saying') }, 'found one');
          yield { params: { unit }, label: `unit ${unit}`, facts: {} };
        }
      },
      close: () => Promise.resolve(),
    };
  },
};

const hoard: number[][] = [];

const vices: Record<string, () => Promise<void> | void> = {
  throw: () =>
    void setTimeout(() => {
      throw new Error('nobody catches this');
    }, 1),
  reject: () => void Promise.reject(new Error('nobody awaits this')),
  exit: () => process.exit(3),
  block: () => {
    for (;;) hoard.length = 0;
  },
  leak: () => {
    for (;;) hoard.push(new Array<number>(100_000).fill(hoard.length));
  },
  silent: () => new Promise<void>(() => undefined),
  refused: () => Promise.reject(new DriverError('refused', 'illegal data address', 'unit 1')),
  bug: () => Promise.reject(new TypeError('x is not a function')),
};

function misbehaving(): Driver {
  let reads = 0;
  const sampleOf = ({ pointId }: PointRef, value: number): Sample => {
    const at = Date.now();
    return { pointId, at, beganAt: at, value, quality: 'good' };
  };
  return {
    connect: () => Promise.resolve(),
    async *browse(signal) {
      for (let n = 0; !signal.aborted; n += 1) {
        await Promise.resolve();
        yield { address: `point ${n}`, label: `${n}`, writable: false };
      }
    },
    async read(refs, signal) {
      reads += 1;
      const vice = refs.map(({ address }) => vices[address]).find(Boolean);
      if (vice) {
        await vice();
        await new Promise((resolve) => {
          signal.addEventListener('abort', resolve);
        });
      }
      return refs.map((ref) => sampleOf(ref, reads));
    },
    subscribe: (refs, onSample, signal) =>
      new Promise((resolve, reject) => {
        for (const ref of refs.filter(({ address }) => address !== 'count'))
          for (let n = 1; n <= 3; n += 1) onSample(sampleOf(ref, n));
        if (refs[0]?.address === 'gone') reject(new DriverError('lost', 'last will', 'unit 1'));
        signal.addEventListener('abort', () => {
          resolve();
        });
      }),
    async *history(ref, from, to) {
      for (let at = from; at < to; at += 1_000) {
        await Promise.resolve();
        yield [{ ...sampleOf(ref, at), at }];
      }
    },
    close: () => Promise.resolve(),
  };
}
