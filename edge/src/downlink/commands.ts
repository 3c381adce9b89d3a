import { Command } from '@parkline/contract';
import type { FaultLog } from '../base/fault-log.ts';
import { readSigned, type SignedAddress, type SignedFault } from './signed.ts';

/** When it is none for us, nothing is done and no result is sent: who sent it is not known. */
export type CheckedCommand = { ok: true; command: Command } | { ok: false; why: SignedFault };

export type CommandAddress = SignedAddress;

/** Believes a command only when the cloud signed it for this gateway. Never throws, whatever the bytes. */
export function checkCommand(bytes: Uint8Array, us: CommandAddress): CheckedCommand {
  const checked = readSigned(Command, bytes, us);
  return checked.ok ? { ok: true, command: checked.body } : checked;
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
