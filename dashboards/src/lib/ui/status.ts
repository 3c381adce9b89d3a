import type { CommandState, DeviceState, Gateway, OrderState, Severity } from '@parkline/contract';
import type { Care } from '../state/faults.svelte.ts';
import type { Tone } from './StatusBadge.svelte';

/** The one colour of each state, everywhere. */
export const deviceTones: Record<DeviceState, Tone> = {
  online: 'ok',
  silent: 'warning',
  starting: 'notice',
  unknown: 'stale',
};

export const gatewayTones: Record<Gateway['state'], Tone> = {
  online: 'ok',
  offline: 'critical',
  never: 'stale',
  revoked: 'critical',
};

export const severityTones: Record<Severity, Tone> = {
  critical: 'critical',
  warning: 'warning',
  notice: 'notice',
};

export const orderTones: Record<OrderState, Tone> = {
  waiting: 'warning',
  dispatched: 'notice',
  accepted: 'notice',
  in_progress: 'notice',
  done: 'ok',
  cancelled: 'stale',
};

export const careTones: Record<Care, Tone> = {
  nobody: 'warning',
  seen: 'notice',
  told: 'notice',
  waiting: 'warning',
  ordered: 'notice',
  accepted: 'notice',
  working: 'notice',
  repaired: 'ok',
};

export const commandTones: Record<CommandState, Tone> = {
  awaiting_approval: 'warning',
  queued: 'notice',
  sent: 'notice',
  done: 'ok',
  overridden: 'warning',
  differs: 'warning',
  refused: 'critical',
  failed: 'critical',
  expired: 'stale',
  rejected: 'stale',
  cancelled: 'stale',
  released: 'ok',
};
