import { connect, createServer, type Socket } from 'node:net';

/** A network between a client and a server on loopback that can be cut while both live on. */
export interface CutLine {
  readonly port: number;
  /** Both ends see the connection break; no new one comes about. */
  cut(): void;
  /** Nothing gets through any more, and nobody is told: a pulled cable. */
  freeze(): void;
  /** What comes next gets through; what was frozen is lost with its connections. */
  mend(): void;
  close(): Promise<void>;
}

export async function startCutLine(to: number): Promise<CutLine> {
  let state: 'whole' | 'cut' | 'frozen' = 'whole';
  const pairs = new Set<{ near: Socket; far: Socket; isFrozen: boolean }>();
  const server = createServer((near) => {
    if (state === 'cut') return void near.destroy();
    const far = connect(to, '127.0.0.1');
    const pair = { near, far, isFrozen: state === 'frozen' };
    pairs.add(pair);
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (bytes) => void (pair.isFrozen || into.write(bytes)));
      from.on('error', () => from.destroy());
      from.on('close', () => {
        if (!pair.isFrozen) into.destroy();
        pairs.delete(pair);
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const breakAll = (): void => {
    for (const { near, far } of pairs) [near, far].forEach((socket) => socket.destroy());
  };
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    cut() {
      state = 'cut';
      breakAll();
    },
    freeze() {
      state = 'frozen';
      for (const pair of pairs) pair.isFrozen = true;
    },
    mend() {
      state = 'whole';
    },
    close() {
      breakAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
