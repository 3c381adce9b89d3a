import { DriverError, type DriverLog } from '@parkline/kit';
import type * as library from 'node-opcua-client';
import type { BrowseResult, ClientSession, DataValue, OPCUAClient } from 'node-opcua-client';
import type { Child, Link, Watch } from './link.ts';
import { createMonitor } from './monitor.ts';
import type { ConnectionParams } from './params.ts';
import type { Reading, Status } from './value.ts';

export type Library = typeof library;

export interface SessionDeps {
  readonly library: Library;
  readonly client: OPCUAClient;
  readonly session: ClientSession;
  readonly params: ConnectionParams;
  readonly where: string;
  readonly log: DriverLog;
  /** Called once, when a break could not be mended in time and the session was given up. */
  readonly onGone: () => void;
}

/** A break that lasts longer is not mended any more, ms: by then the server has dropped what it kept for us. */
const MEND_MS = 60_000;
/** Nodes in one request where the server names no limit. */
const MOST_NODES = 1_000;

/** Server, OPC 10000-5: NamespaceArray, MaxNodesPerRead, MaxMonitoredItemsPerCall. */
const ABOUT_SERVER = ['ns=0;i=2255', 'ns=0;i=11705', 'ns=0;i=11714'];

/** The link over an open session. The library mends breaks: it comes back to the old session, or makes it anew on a restarted server. */
export async function createSessionLink(deps: SessionDeps): Promise<Link> {
  const { library, session, log, where } = deps;
  const about = await session.read(ABOUT_SERVER.map((nodeId) => ({ nodeId, attributeId: VALUE })));
  const namespaces = namespacesOf(about[0]);
  const [mostRead, mostItems] = [limitOf(about[1]), limitOf(about[2])];
  const health = watchHealth(deps, namespaces);
  const monitor = createMonitor({ ...deps, mostItems, isDown: () => health.down() !== undefined });

  return {
    namespaces,
    get down() {
      return health.down();
    },
    async read(nodeIds) {
      const readings: Reading[] = [];
      for (let at = 0; at < nodeIds.length; at += mostRead) {
        const nodes = nodeIds.slice(at, at + mostRead).map((nodeId) => ({ nodeId, attributeId: VALUE }));
        const values = await session.read(nodes, 0); // Not what the server remembers: what the device says now.
        if (values.length !== nodes.length)
          throw new DriverError('garbage', `${values.length} answers to ${nodes.length} questions`, where);
        readings.push(...values.map((value) => readingOf(library, value)));
      }
      return readings;
    },
    children: (nodeIds) => childrenOf(deps, nodeIds),
    async monitor(nodeIds, watch) {
      const { joined, leave } = health.join(watch);
      const { close } = await monitor(nodeIds, joined);
      return {
        close() {
          leave();
          return close();
        },
      };
    },
    async close() {
      health.stop();
      await session.close(true).catch(() => undefined); // A link that is down cannot say good-bye.
      await deps.client.disconnect().catch(() => undefined);
      log.debug({ where }, 'opc ua session closed');
    },
  };
}

/** AttributeIds.Value, OPC 10000-6 annex A. */
const VALUE = 13;

interface Health {
  down(): string | undefined;
  /** Tells a watch when the session is mended or given up, which ends it once. */
  join(watch: Watch): { readonly joined: Watch; readonly leave: () => void };
  stop(): void;
}

/** Knows whether the session can be used, and gives it up when it stays broken or the server came back as another. */
function watchHealth(
  { client, session, log, where, onGone }: SessionDeps,
  namespaces: readonly string[],
): Health {
  let why: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  const watches = new Set<Watch>();

  function stop(): void {
    clearTimeout(timer);
    why ??= 'the session was closed';
  }
  function giveUp(reason: string): void {
    stop();
    why = reason;
    log.warn({ where, why: reason }, 'opc ua session given up');
    onGone();
    for (const { onEnd } of watches) onEnd(reason);
    void client.disconnect().catch(() => undefined);
  }
  function onLost(): void {
    if (why !== undefined) return;
    why = 'the link is broken and is being mended';
    log.info({ where }, 'opc ua link broken');
    timer = setTimeout(() => giveUp('the link could not be mended'), MEND_MS);
    timer.unref();
  }
  async function onBack(): Promise<void> {
    const [array] = await session.read([{ nodeId: ABOUT_SERVER[0]!, attributeId: VALUE }]);
    if (namespacesOf(array).join() !== namespaces.join())
      return giveUp('the server has come back with other namespaces');
    clearTimeout(timer);
    why = undefined;
    log.info({ where }, 'opc ua link mended');
    for (const { onMended } of watches) onMended();
  }
  client.on('connection_lost', onLost);
  client.on(
    'connection_reestablished',
    () => void onBack().catch(() => giveUp('the link could not be mended')),
  );
  client.on('close', () => {
    if (why === undefined) giveUp('the server ended the connection');
  });

  return {
    down: () => why,
    join(watch) {
      const leave = (): void => void watches.delete(joined);
      const joined: Watch = {
        ...watch,
        onEnd: (reason) => {
          if (watches.delete(joined)) watch.onEnd(reason);
        },
      };
      watches.add(joined);
      return { joined, leave };
    },
    stop,
  };
}

async function childrenOf(deps: SessionDeps, nodeIds: readonly string[]): Promise<(Child[] | Status)[]> {
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
  return found.map(({ nodeId: id, nodeClass, displayName }) => {
    const text = id.toString();
    return {
      namespace: id.namespace,
      id: text.replace(/^ns=\d+;/, ''),
      nodeId: text,
      isVariable: nodeClass === library.NodeClass.Variable,
      label: displayName.text ?? text,
    };
  });
}

/** @returns the reading, in plain words. */
export function readingOf({ DataType, VariantArrayType }: Library, given: DataValue): Reading {
  const { value, statusCode, sourceTimestamp } = given;
  return {
    type: DataType[value?.dataType ?? DataType.Null] ?? 'Null',
    isArray: value !== undefined && value.arrayType !== VariantArrayType.Scalar,
    value: value?.value as unknown,
    status: statusOf(statusCode),
    sourceAt: sourceTimestamp?.getTime(),
  };
}

export const statusOf = (status: { readonly name: string; readonly value: number }): Status => ({
  name: status.name,
  code: status.value,
});

function namespacesOf(answer: DataValue | undefined): string[] {
  const given: unknown = answer?.value?.value;
  return Array.isArray(given) ? given.map(String) : [];
}

/** A limit of 0, or none, is no limit (OPC 10000-5 clause 6.3.11). */
function limitOf(answer: DataValue | undefined): number {
  const given: unknown = answer?.statusCode.isGood() ? answer.value?.value : undefined;
  return typeof given === 'number' && given > 0 ? Math.min(given, MOST_NODES) : MOST_NODES;
}
