import { DriverError } from '@parkline/kit';
import { expect, test } from 'vitest';
import { createKeeper } from './keeper.ts';
import type { Link } from './link.ts';
import { never } from './testing.ts';

interface Dialled {
  readonly link: Link & { down: string | undefined; isClosed: boolean };
  readonly gone: () => void;
  readonly signal: AbortSignal;
}

function start(answer: (link: Link) => Promise<Link> = (link) => Promise.resolve(link)) {
  const dials: Dialled[] = [];
  const time = { now: 0 };
  const keeper = createKeeper({
    dial: (gone, signal) => {
      const unused = (): never => {
        throw new Error('not asked in this test');
      };
      const link = {
        down: undefined as string | undefined,
        isClosed: false,
        namespaces: [],
        read: unused,
        describe: unused,
        children: unused,
        write: unused,
        history: unused,
        forgetHistory: unused,
        monitor: unused,
        close: async () => {
          link.isClosed = true;
        },
      };
      dials.push({ link, gone, signal });
      return answer(link);
    },
    where: 'plc',
    openMs: 50,
    now: () => time.now,
    random: () => 0.5,
  });
  return { keeper, dials, time };
}

test('all who ask share one link', async () => {
  const { keeper, dials } = start();
  const links = await Promise.all([keeper.link(never()), keeper.link(never())]);
  expect(links).toEqual([dials[0]!.link, dials[0]!.link]);
  expect(dials).toHaveLength(1);
});

test('a link that is down is not handed out, and is again when it is mended', async () => {
  const { keeper, dials } = start();
  const link = await keeper.link(never());
  dials[0]!.link.down = 'being mended';
  await expect(keeper.link(never())).rejects.toMatchObject({ code: 'lost', message: 'being mended' });
  dials[0]!.link.down = undefined;
  expect(await keeper.link(never())).toBe(link);
});

test('after a link is gone, or could not be opened, the next who asks opens another', async () => {
  let isBroken = true;
  const { keeper, dials, time } = start((link) =>
    isBroken ? Promise.reject(new DriverError('lost', 'no server', 'plc')) : Promise.resolve(link),
  );
  await expect(keeper.link(never())).rejects.toMatchObject({ message: 'no server' });
  isBroken = false;
  time.now += 500;
  const first = await keeper.link(never());
  dials[1]!.gone();
  expect(await keeper.link(never())).not.toBe(first);
  expect(dials).toHaveLength(3);
});

test('a server that lets nobody in is not knocked at with every request, but is again and again', async () => {
  const { keeper, dials, time } = start(() =>
    Promise.reject(new DriverError('refused', 'wrong password', 'plc')),
  );
  for (; time.now < 60_000; time.now += 100)
    await expect(keeper.link(never())).rejects.toMatchObject({ message: 'wrong password' });
  expect(dials.length).toBeGreaterThan(6);
  expect(dials.length).toBeLessThan(13);
});

test('whoever asks may give up, and nobody waits for ever', async () => {
  const { keeper } = start(() => new Promise(() => undefined));
  await expect(keeper.link(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' });
  const stop = new AbortController();
  const asking = keeper.link(stop.signal);
  stop.abort();
  await expect(asking).rejects.toMatchObject({ code: 'aborted' });
  await expect(keeper.link(never())).rejects.toMatchObject({ code: 'timeout' });
});

test('close lets the link go and hands out no other', async () => {
  const { keeper, dials } = start();
  await keeper.link(never());
  await keeper.close();
  await keeper.close();
  expect([dials[0]!.link.isClosed, dials[0]!.signal.aborted]).toEqual([true, true]);
  await expect(keeper.link(never())).rejects.toMatchObject({ code: 'lost' });
  expect(dials).toHaveLength(1);
});
