/**
 * Calls `onPassed` after `ms` unless it is stopped before. A busy process comes to its timers before its sockets: what came in time and
 * waits to be read is read first.
 * @returns stops it; safe twice.
 */
export function startDeadline(ms: number, onPassed: () => void): () => void {
  let look: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    look = setImmediate(onPassed);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(look);
  };
}
