import { type KeyObject, verify } from 'node:crypto';
import { Command, SignedText } from '@parkline/contract';
import type { Static, TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { FaultLog } from '../base/fault-log.ts';

/** Why bytes are not a command for us. Nothing is done and no result is sent: who sent them is not known. */
export type CommandFault = 'unreadable' | 'signature' | 'schema' | 'gateway';

export type CheckedCommand = { ok: true; command: Command } | { ok: false; why: CommandFault };

export interface CommandAddress {
  readonly cloudKey: KeyObject;
  readonly gatewayId: string;
}

/** Believes a command only when the cloud signed it for this gateway. Never throws, whatever the bytes. */
export function checkCommand(bytes: Uint8Array, us: CommandAddress): CheckedCommand {
  const signed = parseAs(SignedText, Buffer.from(bytes).toString('utf8'));
  if (!signed) return { ok: false, why: 'unreadable' };
  const signature = Buffer.from(signed.sig, 'base64url');
  if (!verify(null, Buffer.from(signed.body), us.cloudKey, signature)) return { ok: false, why: 'signature' };
  const command = parseAs(Command, signed.body);
  if (!command) return { ok: false, why: 'schema' };
  if (command.gatewayId !== us.gatewayId) return { ok: false, why: 'gateway' };
  return { ok: true, command };
}

/** Takes every message that claims to be a command; passes on the ones to believe. Never throws. */
export const createCommands =
  ({
    faults,
    onCommand,
    ...us
  }: CommandAddress & {
    readonly faults: FaultLog;
    readonly onCommand: (command: Command) => void;
  }): ((bytes: Uint8Array) => void) =>
  (bytes) => {
    const checked = checkCommand(bytes, us);
    if (checked.ok) onCommand(checked.command);
    else faults.fault('command-refused', 'command refused', { why: checked.why });
  };

function parseAs<T extends TSchema>(schema: T, json: string): Static<T> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return Value.Check(schema, value) ? value : undefined;
  } catch {
    return undefined; // Not JSON: the caller names the fault.
  }
}
