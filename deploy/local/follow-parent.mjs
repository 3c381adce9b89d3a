// Loaded into every process that `npm start` starts. Its standard input is a pipe from the starter, which the kernel
// closes when the starter dies, even by SIGKILL: the process then stops like on SIGTERM, and for certain after 5 s.
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  process.stdin.on('error', stop).on('close', stop).resume().unref();
}

let stopping = false;
function stop() {
  if (stopping) return;
  stopping = true;
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 5000).unref();
  process.kill(process.pid, 'SIGTERM');
}
