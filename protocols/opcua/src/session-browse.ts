import { DriverError } from '@parkline/kit';
import type { BrowseResult } from 'node-opcua-client';
import { statusOf } from './convert.ts';
import type { Child } from './link.ts';
import type { SessionDeps } from './session.ts';
import { wordsOf } from './status.ts';
import type { Status } from './value.ts';

/** HasProperty, OPC 10000-6 annex A. */
const HAS_PROPERTY = 'ns=0;i=46';
/** Parts of one answer: more of them are a server that goes round in a circle. */
const MOST_PARTS = 10_000;

/** What is directly below each node; at most `most` nodes in one request. */
export async function childrenOf(
  deps: SessionDeps,
  nodeIds: readonly string[],
  most: number,
): Promise<(Child[] | Status)[]> {
  const all: (Child[] | Status)[] = [];
  for (let at = 0; at < nodeIds.length; at += most)
    all.push(...(await childrenOfSome(deps, nodeIds.slice(at, at + most))));
  return all;
}

async function childrenOfSome(deps: SessionDeps, nodeIds: readonly string[]): Promise<(Child[] | Status)[]> {
  const { library, session, where } = deps;
  const pages = await session.browse(
    nodeIds.map((nodeId) => ({
      nodeId,
      browseDirection: library.BrowseDirection.Forward,
      referenceTypeId: 'HierarchicalReferences',
      includeSubtypes: true,
      resultMask: 0x3f,
    })),
  );
  if (pages.length !== nodeIds.length)
    throw new DriverError('garbage', `${pages.length} answers to ${nodeIds.length} questions`, where);
  const all: (Child[] | Status)[] = [];
  for (const first of pages)
    all.push(first.statusCode.isNotGood() ? statusOf(first.statusCode) : await pagesFrom(deps, first));
  for (const [index, found] of all.entries())
    if (isCrowded(found)) all[index] = await childrenOfCrowded(deps, nodeIds, index);
  return all;
}

/** A server that hands out in parts does so for a few nodes at a time; the others are asked for when those are done. */
const isCrowded = (found: Child[] | Status): boolean =>
  'name' in found && found.name.startsWith('BadNoContinuationPoints');

/** @throws DriverError 'refused' where the server does not even show it by itself: passed over it would look like empty. */
async function childrenOfCrowded(
  deps: SessionDeps,
  nodeIds: readonly string[],
  index: number,
): Promise<Child[] | Status> {
  const nodeId = nodeIds[index]!;
  const [found] = nodeIds.length > 1 ? await childrenOfSome(deps, [nodeId]) : [];
  if (found) return found;
  const why = 'the server is showing too much to others: browse again';
  throw new DriverError('refused', `${nodeId}: ${why}`, deps.where);
}

/** A server hands out what is below a node in parts. */
async function pagesFrom({ library, session, where }: SessionDeps, first: BrowseResult): Promise<Child[]> {
  const found = [...(first.references ?? [])];
  let parts = 1;
  for (let page = first; page.continuationPoint?.length > 0; parts += 1) {
    if (parts >= MOST_PARTS) throw new DriverError('garbage', 'what is below a node has no end', where);
    page = await session.browseNext(page.continuationPoint, false);
    if (page.statusCode.isNotGood())
      throw new DriverError('refused', `half of a node shown: ${wordsOf(statusOf(page.statusCode))}`, where);
    found.push(...(page.references ?? []));
  }
  return found.map(({ nodeId: id, nodeClass, browseName, displayName, referenceTypeId }) => {
    const text = id.toString();
    return {
      namespace: id.namespace,
      id: text.replace(/^ns=\d+;/, ''),
      nodeId: text,
      isVariable: nodeClass === library.NodeClass.Variable,
      isProperty: `ns=${referenceTypeId.namespace};i=${String(referenceTypeId.value)}` === HAS_PROPERTY,
      name: browseName.name ?? '',
      label: displayName.text ?? text,
    };
  });
}
