import type { Found } from '@parkline/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpcuaBench, startOpcuaBench } from '../../../tests/support/opcua.ts';
import { variablesBelow } from './browse.ts';
import type { Child, Description, Link } from './link.ts';
import { allOf, connectionTo, gauge, never } from './testing.ts';

const many = Array.from({ length: 60 }, (_, index) => `Value${index}`);
const plain = { weight: 1, digits: 1 } as const;
let bench: OpcuaBench;

beforeAll(async () => {
  bench = await startOpcuaBench({
    devices: ['Lift1', 'Lift2'],
    variables: [
      {
        ...plain,
        name: 'Power',
        as: 'Float',
        quantity: 'power',
        unit: { code: 'KWT', text: 'kW' },
        historyMs: 1_000,
      },
      { ...plain, name: 'Setpoint', as: 'Int16', quantity: 'setpoint', writable: 'all' },
      { ...plain, name: 'Theirs', as: 'Int16', quantity: 'theirs', writable: 'others' },
      ...many.map((name) => ({ ...plain, name, as: 'UInt16' as const, quantity: name })),
    ],
    value: (quantity) => (quantity === 'power' ? 4.2 : 7),
    limits: { read: 20, browse: 7 },
  });
}, 60_000);
afterAll(() => bench.stop());

async function browse(root: object): Promise<Found[]> {
  const connection = connectionTo(bench);
  try {
    return await allOf(connection.device(root).browse(never()));
  } finally {
    await connection.close();
  }
}

test('a device shows its variables with type, unit, value and what may be done with them', async () => {
  const found = await browse({ root: 'Lift1' });
  expect(found).toHaveLength(63);
  expect(found.slice(0, 3)).toEqual([
    {
      ...{ address: 'Power', label: 'Power', writable: false },
      facts: { type: 'Float', value: '4.2', unit: 'kW', history: 'self' },
    },
    { address: 'Setpoint', label: 'Setpoint', writable: true, facts: { type: 'Int16', value: '7' } },
    { address: 'Theirs', label: 'Theirs', writable: false, facts: { type: 'Int16', value: '7' } },
  ]);
});

test('a whole node id is a root as well', async () => {
  const found = await browse({ root: 'nsu=urn:parkline:sim;s=Lift2' });
  expect([found.length, found[0]?.address]).toEqual([63, 'Power']);
});

test('without a root the whole server is walked, but not what it says of itself, by addresses that can be read', async () => {
  const connection = connectionTo(bench);
  const server = connection.device({});
  const found = await allOf(server.browse(never()));
  const ours = found.filter(({ address }) => address.startsWith('Lift'));
  expect([ours.length, ours[0]?.address, found.length - ours.length]).toEqual([
    126,
    'Lift1.Power',
    expect.any(Number),
  ]);
  expect(found.length).toBeLessThan(200);
  expect((await server.read([gauge('Lift2.Power')], never()))[0]?.value).toBe(4.2);
  await connection.close();
});

/** A server that is asked for what is below a node. */
const serverOf = (children: (nodeId: string) => Partial<Child>[]) =>
  ({
    namespaces: ['ua', 'urn:made'],
    children: (nodeIds: readonly string[]) =>
      Promise.resolve(
        nodeIds.map((nodeId) =>
          children(nodeId).map((child) => ({
            ...{
              namespace: 1,
              id: child.nodeId!.slice(5),
              isVariable: true,
              isProperty: false,
              name: 'x',
              label: 'x',
            },
            ...child,
          })),
        ),
      ),
    describe: (nodeIds: readonly string[]) =>
      Promise.resolve(
        nodeIds.map((): Description => {
          const reading = {
            type: 'Double',
            isArray: false,
            value: 1,
            status: { name: 'Good', code: 0 },
            sourceAt: 0,
          };
          return { reading, type: 'Double', isArray: false, may: 1, userMay: undefined };
        }),
      ),
  }) as unknown as Link;
const walk = (link: Link) =>
  variablesBelow('ns=1;s=A', {
    ...{ link, root: { root: 'A', namespaceUri: 'urn:made' }, where: 'plc' },
    answer: (work) => work,
  });

test('a circle has an end', async () => {
  const next: Record<string, string> = {
    'ns=1;s=A': 'ns=1;s=B',
    'ns=1;s=B': 'ns=1;s=C',
    'ns=1;s=C': 'ns=1;s=A',
  };
  const found = await allOf(walk(serverOf((nodeId) => [{ nodeId: next[nodeId]! }])));
  expect(found.map(({ address }) => address)).toEqual(['nsu=urn:made;s=B', 'nsu=urn:made;s=C']);
});

test.each([
  ['deep', (nodeId: string) => [{ nodeId: `${nodeId}x` }], 'goes on below 30 levels'],
  [
    'wide',
    (nodeId: string) =>
      Array.from({ length: 400 }, (_, n) => ({ nodeId: `${nodeId}.${n}`, isVariable: false })),
    'has more than 100000 nodes',
  ],
] as const)('a tree that is too %s is followed so far and no further', async (_what, children, message) => {
  let count = 0;
  const walking = (async () => {
    for await (const _ of walk(serverOf(children))) count += 1;
  })();
  await expect(walking).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining(message) as string,
  });
  expect(count).toBeLessThan(100_000);
});
