// Loaded into every process that `npm start` starts. Its standard input is a pipe from the starter, which the kernel
// closes when the starter dies, even by SIGKILL: the process then stops like on SIGTERM, and for certain after 5 s.
import { isMainThread, Worker } from 'node:worker_threads';

if (isMainThread) process.stdin.on('error', stop).on('close', stop).resume().unref();

let stopping = false;
function stop() {
  if (stopping) return;
  stopping = true;
  // In a thread of its own: the main one may hang, as a logger does that cannot flush into a pipe without a reader.
  const last = `setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5000)`;
  new Worker(last, { eval: true, execArgv: [] }).unref();
  process.kill(process.pid, 'SIGTERM');
}
