import { Counter, type Registry } from 'prom-client';
import type { Stored } from './store.ts';

/** Counts what ingest did; `undefined` counts nothing. */
export function countStored(registry: Registry | undefined): (stored: Stored, messages: number) => void {
  if (!registry) return () => undefined;
  const registers = [registry];
  const samples = new Counter({ name: 'parkline_ingest_samples_total', help: 'Samples stored', registers });
  const received = new Counter({
    name: 'parkline_ingest_messages_total',
    help: 'Uplink messages handled',
    registers,
  });
  const conflicts = new Counter({
    name: 'parkline_ingest_conflicts_total',
    help: 'Samples that contradicted a stored one',
    registers,
  });
  const refused = new Counter({
    name: 'parkline_ingest_quarantined_total',
    help: 'Messages put in quarantine',
    labelNames: ['reason'] as const,
    registers,
  });
  return (stored, messages) => {
    received.inc(messages);
    samples.inc(stored.samples.reduce((sum, { rows }) => sum + rows.length, 0));
    conflicts.inc(stored.conflicts);
    for (const [reason, count] of Object.entries(stored.refused)) refused.inc({ reason }, count);
  };
}
