// Evaluated here and not at the first dial: it holds the process for a second, which must not fall into the time-outs of
// other buses. The gateway loads this package before it polls, and only when a connection names it.
import 'node-opcua-client';
import type { Connection, DriverDeps, DriverModule } from '@parkline/kit';
import { createDial } from './client.ts';
import { discover } from './discover.ts';
import { createOpcuaDriver } from './driver.ts';
import { createKeeper } from './keeper.ts';
import { parseConnectionParams, parseDeviceParams } from './params.ts';

/** What a network and a busy server may add to the way of a change, ms. */
const NETWORK_MS = 10_000;

/** OPC UA over opc.tcp. */
export const driver: DriverModule = { protocol: 'opcua', openConnection };

function openConnection(given: unknown, { now, log, dataDir }: DriverDeps): Connection {
  const params = parseConnectionParams(given);
  const where = params.endpointUrl;
  const dialling = { params, dataDir, where, now, log };
  const keeper = createKeeper({
    dial: createDial(dialling),
    where,
    openMs: params.timeoutMs * 3,
    now,
    random: Math.random,
  });
  return {
    device(deviceParams) {
      const { root, namespace = params.namespace } = parseDeviceParams(deviceParams);
      return createOpcuaDriver({
        keeper,
        root: { root, namespaceUri: namespace },
        timeoutMs: params.timeoutMs,
        onTheWayMs: params.samplingMs + NETWORK_MS,
        now,
        where: root === undefined ? where : `${where} ${root}`,
      });
    },
    discover: (_range, signal) => discover(dialling, signal),
    close: () => keeper.close(),
  };
}
