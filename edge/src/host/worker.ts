import { parentPort, workerData } from 'node:worker_threads';
import type { DriverModule } from '@parkline/kit';
import { type Down, PULSE_MS, type Up, type WorkerStart } from './messages.ts';
import { createServer } from './serve.ts';

// The thread of one driver. Whatever the driver does here, the worst is that this thread ends.
const { url, protocol, pulse } = workerData as WorkerStart;
const port = parentPort;
if (!port) throw new Error('this runs as a thread of the gateway and not by itself');
const send = (message: Up): void => {
  port.postMessage(message);
};

const { driver } = (await import(url)) as { driver: DriverModule };
if (driver.protocol !== protocol)
  throw new Error(`the driver for ${protocol} calls itself ${driver.protocol}`);
const server = createServer(driver, () => Date.now(), send);
port.on('message', (message: Down) => {
  server.take(message);
});
setInterval(() => Atomics.add(pulse, 0, 1), PULSE_MS);
send({ type: 'up' });
