import { expect, test } from 'vitest';
import { Changes } from './changes.svelte.ts';
import type { StreamSource } from './event-stream.svelte.ts';

class Server implements StreamSource {
  readyState = 0;
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  #listener: ((event: { data: string }) => void) | undefined;
  addEventListener(_type: string, listener: (event: { data: string }) => void) {
    this.#listener = listener;
  }
  tell(...topics: string[]) {
    this.#listener?.({ data: JSON.stringify({ topics }) });
  }
  close() {
    this.readyState = 2;
  }
}

function given() {
  const servers: Server[] = [];
  const polls = new Set<() => void>();
  const changes = new Changes({
    open: () => {
      const server = new Server();
      servers.push(server);
      return server;
    },
    later: () => () => undefined,
    every: (_ms, run) => {
      polls.add(run);
      return () => polls.delete(run);
    },
    onRefused: () => undefined,
  });
  return { changes, servers, polls, poll: () => polls.forEach((run) => run()) };
}
const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

test('only who asked for a topic is told of it', () => {
  const { changes, servers } = given();
  const told: string[] = [];
  changes.on(['faults'], async () => told.push('faults'));
  changes.on(['work-orders', 'settings'], async () => told.push('orders'));
  changes.open();
  servers[0]!.tell('work-orders');
  expect(told).toEqual(['orders']);
});

test('news that come while a list is read lead to one more reading, not to a broken one', async () => {
  const { changes, servers } = given();
  const answers: (() => void)[] = [];
  changes.on(['faults'], () => new Promise<void>((resolve) => answers.push(resolve)));
  changes.open();
  for (let n = 0; n < 5; n += 1) servers[0]!.tell('faults');
  expect(answers.length).toBe(1);
  answers[0]!();
  await settle();
  expect(answers.length).toBe(2);
  answers[1]!();
  await settle();
  servers[0]!.tell('faults');
  expect(answers.length).toBe(3);
});

test('while no news can come, everything is read at intervals', async () => {
  const { changes, servers, poll } = given();
  let reads = 0;
  changes.on(['faults'], async () => (reads += 1));
  changes.open();
  servers[0]!.onopen?.();
  poll();
  expect([changes.link, reads]).toEqual(['live', 0]);
  servers[0]!.onerror?.();
  poll();
  expect([changes.link, reads]).toEqual(['lost', 1]);
});

test('who left is told nothing, and a closed stream asks for nothing', () => {
  const { changes, servers, polls } = given();
  let reads = 0;
  const leave = changes.on(['faults'], async () => (reads += 1));
  changes.open();
  changes.open();
  expect(servers.length).toBe(1);
  leave();
  servers[0]!.tell('faults');
  changes.close();
  expect([reads, servers[0]!.readyState, polls.size, changes.link]).toEqual([0, 2, 0, undefined]);
  changes.open();
  expect(servers.length).toBe(2);
});
