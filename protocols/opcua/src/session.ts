import type { DriverLog } from '@parkline/kit';
import type { ClientSession, DataValue, OPCUAClient } from 'node-opcua-client';
import type { Library } from './convert.ts';
import type { Link, Watch } from './link.ts';
import { createMonitor } from './monitor.ts';
import type { ConnectionParams } from './params.ts';
import { childrenOf } from './session-browse.ts';
import { attribute, describe, forgetHistory, historyPage, readAll, writeOnce } from './session-nodes.ts';

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

/** Server, OPC 10000-5: NamespaceArray, MaxNodesPerRead, MaxNodesPerBrowse, MaxMonitoredItemsPerCall. */
const ABOUT_SERVER = ['ns=0;i=2255', 'ns=0;i=11705', 'ns=0;i=11710', 'ns=0;i=11714'];

/** The link over an open session. The library mends breaks: it comes back to the old session, or makes it anew on a restarted server. */
export async function createSessionLink(deps: SessionDeps): Promise<Link> {
  const { session, log, where } = deps;
  const about = await session.read(ABOUT_SERVER.map(valueOf));
  const namespaces = namespacesOf(about[0]);
  const [mostRead = MOST_NODES, mostBrowse = MOST_NODES, mostItems = MOST_NODES] = about
    .slice(1)
    .map(limitOf);
  const health = watchHealth(deps, namespaces);
  const monitor = createMonitor({ ...deps, mostItems, isDown: () => health.down() !== undefined });

  return {
    namespaces,
    get down() {
      return health.down();
    },
    read: (nodeIds) => readAll(deps, nodeIds.map(valueOf), mostRead),
    describe: (nodeIds) => describe(deps, nodeIds, mostRead),
    children: (nodeIds) => childrenOf(deps, nodeIds, mostBrowse),
    write: (nodeId, value) => writeOnce(deps, nodeId, value),
    history: (ask) => historyPage(deps, ask),
    forgetHistory: (ask) => forgetHistory(deps, ask),
    async monitor(nodeIds, watch) {
      const { joined, leave } = health.join(watch);
      const monitoring = await monitor(nodeIds, joined);
      return {
        ...monitoring,
        close() {
          leave();
          return monitoring.close();
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

const valueOf = (nodeId: string) => ({ nodeId, attributeId: attribute.value });

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
    const [array] = await session.read([valueOf(ABOUT_SERVER[0]!)]);
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

function namespacesOf(answer: DataValue | undefined): string[] {
  const given: unknown = answer?.value?.value;
  return Array.isArray(given) ? given.map(String) : [];
}

/** A limit of 0, or none, is no limit (OPC 10000-5 clause 6.3.11). */
function limitOf(answer: DataValue | undefined): number {
  const given: unknown = answer?.statusCode.isGood() ? answer.value?.value : undefined;
  return typeof given === 'number' && given > 0 ? Math.min(given, MOST_NODES) : MOST_NODES;
}
