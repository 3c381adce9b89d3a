import { expect, test } from 'vitest';
import type { StreamSource } from './event-stream.svelte.ts';
import { LivePoints } from './live-points.svelte.ts';
import { readingOf } from './reading.ts';

class Server implements StreamSource {
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  #listener: ((event: { data: string }) => void) | undefined;
  addEventListener(_type: string, listener: (event: { data: string }) => void) {
    this.#listener = listener;
  }
  send(...samples: object[]) {
    this.#listener?.({ data: JSON.stringify(samples) });
  }
  fail(readyState: number) {
    this.readyState = readyState;
    this.onerror?.();
  }
  close() {
    this.readyState = 2;
  }
}

function given() {
  const servers: Server[] = [];
  const waits: number[] = [];
  let refused = 0;
  const live = new LivePoints('/api/live', {
    open: () => {
      const server = new Server();
      servers.push(server);
      return server;
    },
    later: (ms, run) => {
      waits.push(ms);
      run();
      return () => undefined;
    },
    onRefused: () => (refused += 1),
  });
  return { live, servers, waits, refused: () => refused };
}

test('keeps the latest sample of every point', () => {
  const { live, servers } = given();
  servers[0]!.onopen?.();
  servers[0]!.send({ pointId: 'a', value: 1 }, { pointId: 'b', value: 2 });
  servers[0]!.send({ pointId: 'a', value: 3 });
  expect([live.link, live.byId.get('a')?.value, live.byId.get('b')?.value]).toEqual(['live', 3, 2]);
});

test('a cut line is left to the browser', () => {
  const { live, servers, waits } = given();
  servers[0]!.fail(0);
  expect([live.link, servers.length, waits]).toEqual(['lost', 1, []]);
  servers[0]!.onopen?.();
  expect(live.link).toBe('live');
});

test('a refused stream is opened again, ever more slowly, and the session is asked for', () => {
  const { servers, waits, refused } = given();
  for (let n = 0; n < 7; n += 1) servers.at(-1)!.fail(2);
  expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  expect(refused()).toBe(7);
});

const point = { value: 5, at: '2026-11-22T10:00:00.000Z', quality: 'good', staleAfterMs: 70_000 } as const;
const at = Date.parse(point.at);

test('the stream wins over an older list, and a newer list over the stream', () => {
  const sample = (iso: string) => ({ value: 6, at: iso, quality: 'good' }) as const;
  expect(readingOf(point, sample('2026-11-22T10:00:01.000Z'), at).value).toBe(6);
  expect(readingOf(point, sample('2026-11-22T09:59:59.000Z'), at).value).toBe(5);
});

test.each([
  ['good', point, 70_000],
  ['stale', point, 70_001],
  ['uncertain', { ...point, quality: 'uncertain' as const }, 0],
  ['bad', { ...point, quality: 'bad' as const, value: null }, 0],
  ['bad', { ...point, value: null }, 0],
  ['never', { ...point, at: null, value: null, quality: null }, 0],
])('%s', (freshness, given, age) => expect(readingOf(given, undefined, at + age).freshness).toBe(freshness));

test('a stale value is still told, with its time; a bad one is not', () => {
  expect(readingOf(point, undefined, at + 80_000)).toMatchObject({ value: 5, at });
  expect(readingOf({ ...point, quality: 'bad' }, undefined, at).value).toBeNull();
});
