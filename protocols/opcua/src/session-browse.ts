import { DriverError } from '@parkline/kit';
import type { BrowseResult } from 'node-opcua-client';
import { statusOf } from './convert.ts';
import type { Child } from './link.ts';
import type { SessionDeps } from './session.ts';
import type { Status } from './value.ts';

/** HasProperty, OPC 10000-6 annex A. */
const HAS_PROPERTY = 'ns=0;i=46';

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
  for (const first of pages) {
    if (first.statusCode.isNotGood()) all.push(statusOf(first.statusCode));
    else all.push(await pagesFrom(deps, first));
  }
  return all;
}

/** A server hands out what is below a node in parts. */
async function pagesFrom({ library, session }: SessionDeps, first: BrowseResult): Promise<Child[]> {
  const found = [...(first.references ?? [])];
  for (let page = first; page.continuationPoint?.length > 0;) {
    page = await session.browseNext(page.continuationPoint, false);
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
