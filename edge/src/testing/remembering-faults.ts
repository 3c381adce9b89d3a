import type { FaultLog } from '../base/fault-log.ts';

/** A fault log that only remembers: `fault message why` and `over message`. */
export function rememberingFaults(): FaultLog & { readonly lines: string[] } {
  const lines: string[] = [];
  const open = new Set<string>();
  return {
    lines,
    fault(key, message, facts) {
      open.add(key);
      const { why, err } = (facts ?? {}) as { why?: unknown; err?: unknown };
      lines.push(['fault', message, why ?? (err instanceof Error ? err.message : '')].join(' ').trim());
    },
    over(key, message) {
      if (open.delete(key)) lines.push(`over ${message}`);
    },
  };
}
