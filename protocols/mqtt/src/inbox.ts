import type { DriverLog } from '@parkline/kit';
import type { Store } from './store.ts';

/**
 * Kept for so long after it was passed on: the gateway gathers samples for a second before they are on the disk as samples,
 * and a busy disk may take a few more, ms.
 */
const HOLD_MS = 15_000;
/** How often what is past that time is thrown away, ms. */
const SWEEP_MS = 5_000;

/** A message as a device sent it. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  /** Unix ms. */
  readonly receivedAt: number;
}

/** A message on the disk. */
export interface Kept {
  /** Whoever listens to the device has it. It is kept a little longer, until that is on the disk elsewhere. */
  passed(): void;
}

/** What was acknowledged to devices and is perhaps nowhere else: it survives the process, and comes again after a restart. */
export interface Inbox {
  /** Resolves when the message is on the disk: only then may it be acknowledged. Rejects when it cannot be kept. */
  keep(owner: string, message: Message): Promise<Kept>;
  /** What an earlier process left behind, oldest first. */
  left(): { readonly owner: string; readonly message: Message; readonly kept: Kept }[];
  /** Stops throwing away; the store may be closed then. */
  close(): void;
}

export function createInbox(store: Store, now: () => number, log: DriverLog): Inbox {
  let nextId = 1 + Number(store.rows('SELECT max(id) AS last FROM inbox')[0]?.['last'] ?? 0);
  const over: { readonly id: number; readonly at: number }[] = [];
  let isFailing = false;
  const forget = (sql: string, ...values: number[]): void =>
    void store.write(sql, ...values).then(
      () => (isFailing = false),
      (err: unknown) => {
        if (!isFailing) log.warn({ err }, 'mqtt store cannot be written');
        isFailing = true;
      },
    );

  const sweep = setInterval(() => {
    const before = now() - HOLD_MS;
    while (over[0] && (over[0].at <= before || over[0].at > now()))
      forget('DELETE FROM inbox WHERE id = ?', over.shift()!.id);
  }, SWEEP_MS);
  sweep.unref();

  const keptAs = (id: number): Kept => ({
    passed: () => void over.push({ id, at: now() }),
  });

  return {
    async keep(owner, { topic, payload, qos, retain, receivedAt }) {
      const id = nextId++;
      await store.write(
        'INSERT INTO inbox VALUES (?, ?, ?, ?, ?, ?, ?)',
        ...[id, owner, topic, payload, qos, retain ? 1 : 0, receivedAt],
      );
      return keptAs(id);
    },
    left: () =>
      store.rows('SELECT * FROM inbox ORDER BY id').map((row) => ({
        owner: String(row['owner']),
        kept: keptAs(Number(row['id'])),
        message: {
          topic: String(row['topic']),
          payload: Buffer.from(row['payload'] as Uint8Array),
          qos: row['qos'] as 0 | 1 | 2,
          retain: row['retain'] === 1,
          receivedAt: Number(row['received_at']),
        },
      })),
    close() {
      clearInterval(sweep);
    },
  };
}
