// A gateway's broker to be killed: `node listen-forever.ts <port> <folder> <user> <SHA-256 of its token> <subscribe|idle>`.
// Prints a line when it listens, then one for each sample that reaches the subscriber.
import { point, quietLog } from './testing.ts';
import { driver } from './index.ts';

const [port, dataDir = '', username, passwordSha256, what] = process.argv.slice(2);
const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
const connection = driver.openConnection(
  { port: Number(port), maxMessagesPerSecond: 100_000 },
  { now: Date.now, log: quietLog, dataDir },
);
const device = connection.device({ username, passwordSha256 });
const signal = new AbortController().signal;
if (what === 'idle') {
  const subscribed = device.subscribe!([point('nothing')], () => undefined, signal);
  subscribed.catch(() => undefined);
} else void subscribeForever();
await new Promise((resolve) => setTimeout(resolve, 100));
say({ listening: true });

/** As the gateway does: a subscription that ends is asked for again. */
async function subscribeForever(): Promise<void> {
  for (;;) {
    const refs = [point('count', { kind: 'register' })];
    await device.subscribe!(refs, ({ at, value }) => say({ at, value }), signal).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
