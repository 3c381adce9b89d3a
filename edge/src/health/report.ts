import type { GatewayHealth, SignedText } from '@parkline/contract';
import type { Bell } from '../base/bell.ts';
import type { FaultLog } from '../base/fault-log.ts';
import { type Outbox, OutboxError, type OutboxState } from '../pipeline/outbox.ts';
import type { DeviceBoard } from './devices.ts';

const PERIOD_MS = 10_000;

export interface HealthDeps {
  readonly gatewayId: string;
  readonly version: string;
  /** Unix ms. */
  readonly startedAt: number;
  readonly now: () => number;
  readonly outbox: Pick<Outbox, 'state'>;
  readonly board: Pick<DeviceBoard, 'list'>;
  /** Samples refused since start. */
  readonly refused: () => number;
  /** Whether commands are carried out; somebody on site may have switched that off. */
  readonly isWritingOff: () => boolean;
  /** Ed25519 by the gateway's key. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** Sends, or drops while the link is down: the next one tells the same. */
  readonly publish: (message: Uint8Array) => void;
  /** Keeps it where people on site can read it. Never throws. */
  readonly keep: (health: GatewayHealth) => void;
  /** Rung when a device's state changes. */
  readonly bell: Bell;
  readonly faults: FaultLog;
}

/** Tells the cloud how the gateway is: every 10 s, and at once when a device comes or goes. */
export async function runHealth(deps: HealthDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      const health = currentHealth(deps);
      deps.keep(health);
      deps.publish(signText(health, deps.sign));
    } catch (err) {
      if (!(err instanceof OutboxError) || err.code !== 'disk') throw err;
      deps.faults.fault('health', 'outbox does not tell its state', { err });
    }
    await deps.bell.heard(PERIOD_MS, signal);
  }
}

export function currentHealth(deps: HealthDeps): GatewayHealth {
  const { gatewayId, version, startedAt, now, outbox, board, refused } = deps;
  return {
    gatewayId,
    at: now(),
    startedAt,
    version,
    outbox: { ...outboxHealth(outbox.state()), refused: refused() },
    devices: board.list(),
    writing: deps.isWritingOff() ? 'off' : 'on',
  };
}

/** Hours left are those until nothing more is taken in, if nothing is sent from now on and it goes on as it did. */
function outboxHealth({ bytesPerHour, ...state }: OutboxState) {
  const { maxBytes, waitingBytes } = state;
  const hoursLeft = bytesPerHour ? Math.max(0, maxBytes - waitingBytes) / bytesPerHour : null;
  return { ...state, hoursLeft };
}

function signText(health: GatewayHealth, sign: HealthDeps['sign']): Uint8Array {
  const body = JSON.stringify(health);
  const message: SignedText = { body, sig: Buffer.from(sign(Buffer.from(body))).toString('base64url') };
  return Buffer.from(JSON.stringify(message));
}
