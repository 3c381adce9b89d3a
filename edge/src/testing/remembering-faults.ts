import type { FaultLog } from '../base/fault-log.ts';

/** A fault log that only remembers: `fault message why` and `over message`. */
export function rememberingFaults(): FaultLog & { readonly lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    fault(_key, message, facts) {
      const { why, err } = (facts ?? {}) as { why?: unknown; err?: unknown };
      lines.push(['fault', message, why ?? (err instanceof Error ? err.message : '')].join(' ').trim());
    },
    over(_key, message) {
      lines.push(`over ${message}`);
    },
  };
}
