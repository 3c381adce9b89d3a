// The server of the OPC UA benchmark, a process of its own: `node opcua-server.ts <points>`. Prints its place as JSON, ends with its input.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFaults } from '../../firmware-sim/src/faults.ts';
import { noLog } from '../../firmware-sim/src/request-log.ts';
import { createOpcuaServer } from '../../firmware-sim/src/servers/opcua.ts';

const names = Array.from({ length: Number(process.argv[2]) }, (_, index) => `Value${index}`);
const dataDir = mkdtempSync(join(tmpdir(), 'parkline-bench-'));
let looks = 0;
const nextValue = (): number => (looks += 1) % 100_000; // Another at each look, so that each look is a change.
const variables = names.map((name) => ({
  name,
  as: 'Float' as const,
  quantity: name,
  weight: 1,
  digits: 3,
}));
const server = createOpcuaServer({
  bus: 'bench',
  devices: [
    {
      key: 'bench',
      address: { root: 'Bench' },
      table: { device: 'bench', variables },
      quantities: new Map(names.map((name) => [name, nextValue])),
    },
  ],
  faults: createFaults(),
  log: noLog,
  now: Date.now,
  dataDir,
});
const { host, port, fingerprint } = await server.listen({ host: '127.0.0.1', port: 0 });
const place = { endpointUrl: `opc.tcp://${host}:${port}`, fingerprint, pid: process.pid };
process.stdout.write(`${JSON.stringify(place)}\n`);
process.stdin.resume().on('end', () => {
  rmSync(dataDir, { recursive: true, force: true });
  void server.close();
});
