// Meters on Modbus TCP, a process of its own: `node modbus-meters.ts <count>`. Each listens on a port of its own and answers any unit
// at once: every float it is asked for is the number of the request, so that each reading can be told from all others. Prints the
// ports; when its standard input ends, prints when each meter was asked (monotonic ms since the Unix epoch, by meter) and ends.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';

/** MBAP header, function, first register, number of registers (Modbus Messaging on TCP/IP, clause 4.1). */
const REQUEST_BYTES = 12;
const HEADER_BYTES = 9;

const count = Number(process.argv[2]);
const asked: number[][] = Array.from({ length: count }, () => []);
const sockets = new Set<Socket>();

const servers = asked.map((times) =>
  createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true).on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    let rest = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      for (; rest.length >= REQUEST_BYTES; rest = rest.subarray(REQUEST_BYTES)) {
        times.push(performance.timeOrigin + performance.now());
        socket.write(answer(rest, times.length));
      }
    });
  }),
);

function answer(request: Buffer, value: number): Buffer {
  const bytes = request.readUInt16BE(10) * 2;
  const reply = Buffer.alloc(HEADER_BYTES + bytes);
  request.copy(reply, 0, 0, 8);
  reply.writeUInt16BE(3 + bytes, 4);
  reply.writeUInt8(bytes, 8);
  for (let at = HEADER_BYTES; at + 4 <= reply.length; at += 4) reply.writeFloatBE(value, at);
  return reply;
}

for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
const ports = servers.map((server) => (server.address() as AddressInfo).port);
process.stdout.write(`${JSON.stringify(ports)}\n`);
process.stdin.resume();
await once(process.stdin, 'end');
for (const server of servers) server.close();
for (const socket of sockets) socket.destroy();
process.stdout.write(`${JSON.stringify(asked)}\n`);
