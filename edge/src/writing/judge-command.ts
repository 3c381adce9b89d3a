import type { Command } from '@parkline/contract';
import { checkWrite, type WritablePoint, type WriteFault } from './check-write.ts';

/** Writes a minute that a gateway does at all, whatever the points allow. */
export const GATEWAY_PER_MINUTE = 60;
/** By this much the cloud's clock may be ahead of ours, ms. */
export const AHEAD_MS = 60_000;

/** Why a command that the cloud did sign is not carried out. */
export type Refusal = WriteFault | 'clock' | 'expired' | 'off' | 'unknown' | 'rate' | 'approver' | 'device';

/** What the gateway knows when it decides. */
export interface Situation {
  /** Unix ms by the gateway's clock. */
  readonly now: number;
  /** Latest `issuedAt` of any command ever taken: true time is not before it. */
  readonly newestIssuedAt: number;
  /** What was issued before is not carried out: nobody knows whether it was once. Unix ms. */
  readonly notBefore: number;
  /** Somebody on site has switched remote writing off. */
  readonly isOff: boolean;
  /** Undefined: no such point here. */
  readonly point: WritablePoint | undefined;
  readonly hasPriorities: boolean;
  /** Writes begun in the last minute: to this point, and by the whole gateway. */
  readonly recent: { readonly point: number; readonly gateway: number };
}

export type Judgement =
  { readonly ok: true } | { readonly ok: false; readonly code: Refusal; readonly message: string };

const no = (code: Refusal, message: string): Judgement => ({ ok: false, code, message });

/** Whether a command of the cloud is carried out now. Pure; default deny. */
export function judgeCommand(command: Command, situation: Situation): Judgement {
  const late = judgeTime(command, situation);
  if (!late.ok) return late;
  if (situation.isOff) return no('off', 'remote writing is switched off on site');
  const { point, hasPriorities, recent } = situation;
  if (!point) return no('unknown', 'the gateway does not know the point');
  const checked = checkWrite(point, command, hasPriorities);
  if (!checked.ok) return no(checked.code, checked.message.en);
  const { perMinute, safety } = checked.limits;
  if (recent.point >= perMinute) return no('rate', `the point was written ${recent.point} times in a minute`);
  if (recent.gateway >= GATEWAY_PER_MINUTE)
    return no('rate', `the gateway wrote ${recent.gateway} times in a minute`);
  return safety ? judgeApprover(command) : { ok: true };
}

/** Whether now is a time to carry it out. Asked again right before the write. */
export function judgeTime(
  { issuedAt, expiresAt }: Command,
  { now, newestIssuedAt, notBefore }: Pick<Situation, 'now' | 'newestIssuedAt' | 'notBefore'>,
): Judgement {
  const ahead = Math.max(issuedAt, newestIssuedAt) - now;
  if (ahead > AHEAD_MS) return no('clock', `the gateway's clock is ${seconds(ahead)} s behind the cloud's`);
  if (now >= expiresAt) return no('expired', `it came ${seconds(now - expiresAt)} s after its time`);
  if (issuedAt < notBefore) return no('expired', 'it is older than the journal of this gateway');
  return { ok: true };
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1);

function judgeApprover({ actor, approver }: Command): Judgement {
  if (!approver) return no('approver', 'people may be hurt: a second person must approve');
  if (approver.id === actor.id) return no('approver', 'the second person is the first');
  return { ok: true };
}
