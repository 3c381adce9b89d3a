import * as library from 'node-opcua-client';
import { expect, test } from 'vitest';
import { childrenOf } from './session-browse.ts';
import type { SessionDeps } from './session.ts';

const { resolveNodeId, StatusCodes } = library;
interface Answer {
  readonly names?: readonly string[];
  readonly after?: string;
  readonly status?: library.StatusCode;
}

const resultOf = ({ names = [], after = '', status = StatusCodes.Good }: Answer) =>
  new library.BrowseResult({
    statusCode: status,
    continuationPoint: Buffer.from(after),
    references: names.map((name) => ({
      ...{
        nodeId: library.coerceExpandedNodeId(`ns=1;s=${name}`),
        browseName: { name },
        displayName: { text: name },
      },
      ...{ nodeClass: library.NodeClass.Variable, referenceTypeId: resolveNodeId('i=35'), isForward: true },
      typeDefinition: library.coerceExpandedNodeId('i=63'),
    })),
  });

/** A session with a server that answers as it is told to. */
const sessionOf = (
  browse: (nodeIds: readonly string[]) => readonly Answer[],
  next: (after: string) => Answer = () => ({}),
) =>
  ({
    library,
    where: 'plc',
    session: {
      browse: (asked: readonly { nodeId: string }[]) =>
        Promise.resolve(browse(asked.map(({ nodeId }) => nodeId)).map(resultOf)),
      browseNext: (after: Buffer) => Promise.resolve(resultOf(next(after.toString()))),
    },
  }) as unknown as SessionDeps;
const namesOf = async (deps: SessionDeps, nodeIds: readonly string[]) =>
  (await childrenOf(deps, nodeIds, 100)).map((found) =>
    Array.isArray(found) ? found.map(({ name }) => name) : found.name,
  );

test('nodes that a server has no place left to hand out in parts are asked for when the others are done', async () => {
  let held = 0;
  const deps = sessionOf(
    (nodeIds) =>
      nodeIds.map((nodeId) => {
        if (held >= 2) return { status: StatusCodes.BadNoContinuationPoints };
        held += 1;
        return { names: [`${nodeId}1`], after: nodeId };
      }),
    (after) => {
      held -= 1;
      return { names: [`${after}2`] };
    },
  );
  expect(await namesOf(deps, ['a', 'b', 'c', 'd'])).toEqual([
    ['a1', 'a2'],
    ['b1', 'b2'],
    ['c1', 'c2'],
    ['d1', 'd2'],
  ]);
});

test('a node that is not shown at all is no empty one', async () => {
  const deps = sessionOf((nodeIds) => nodeIds.map(() => ({ status: StatusCodes.BadNoContinuationPoints })));
  await expect(childrenOf(deps, ['a', 'b'], 100)).rejects.toMatchObject({ code: 'refused' });
});

test('half of a node is not taken for all of it', async () => {
  const deps = sessionOf(
    () => [{ names: ['a1'], after: 'a' }],
    () => ({ status: StatusCodes.BadContinuationPointInvalid }),
  );
  await expect(childrenOf(deps, ['a'], 100)).rejects.toMatchObject({
    code: 'refused',
    message: expect.stringContaining('forgotten where it was') as string,
  });
});

test('parts without end are not followed for ever', async () => {
  const deps = sessionOf(
    () => [{ names: ['a1'], after: 'a' }],
    () => ({ after: 'a' }),
  );
  await expect(childrenOf(deps, ['a'], 100)).rejects.toMatchObject({ code: 'garbage' });
});
