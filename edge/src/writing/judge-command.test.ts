import type { Command, WriteLimits } from '@parkline/contract';
import { describe, expect, test } from 'vitest';
import { command } from '../testing/commands.ts';
import { judgeCommand, type Situation } from './judge-command.ts';

const limits: WriteLimits = { min: 16, max: 30, perMinute: 6, priority: 16, holdS: 3_600, safety: false };
const situation: Situation = {
  now: 1_000_000,
  newestIssuedAt: 0,
  notBefore: 0,
  isOff: false,
  point: { kind: 'gauge', unit: '°C', write: limits },
  hasPriorities: true,
  recent: { point: 0, gateway: 0 },
};
const safety = { ...situation, point: { ...situation.point!, write: { ...limits, safety: true } } };
const good = command({ issuedAt: 999_000, expiresAt: 1_059_000, value: 21 });
const codeOf = (over: Partial<Command>, around: Partial<Situation> = {}) => {
  const judgement = judgeCommand({ ...good, ...over }, { ...situation, ...around });
  return judgement.ok ? 'ok' : judgement.code;
};

describe('whether a command of the cloud is carried out', () => {
  test('it is, when all is well', () => {
    expect(codeOf({})).toBe('ok');
  });

  test('not from the millisecond on at which it expires', () => {
    expect(codeOf({ expiresAt: 1_000_001 })).toBe('ok');
    expect(codeOf({ expiresAt: 1_000_000 })).toBe('expired');
  });

  test('not while one of the two clocks cannot be right', () => {
    expect(codeOf({ issuedAt: 1_060_000 })).toBe('ok');
    expect(codeOf({ issuedAt: 1_060_001, expiresAt: 1_200_000 })).toBe('clock');
    // The clock was set back: an old command, not expired by it, is not taken again.
    expect(codeOf({}, { newestIssuedAt: 1_060_001 })).toBe('clock');
  });

  test('not when it is older than a journal that was begun anew', () => {
    expect(codeOf({}, { notBefore: 999_001 })).toBe('expired');
  });

  test('not while somebody on site has switched it off', () => {
    expect(codeOf({}, { isOff: true })).toBe('off');
  });

  test('not to a point that is unknown, read only or out of range', () => {
    expect(codeOf({}, { point: undefined })).toBe('unknown');
    expect(codeOf({}, { point: { kind: 'gauge', unit: '°C' } })).toBe('read-only');
    expect(codeOf({ value: 31 })).toBe('range');
  });

  test('not more often than the point and the gateway allow', () => {
    expect(codeOf({}, { recent: { point: 5, gateway: 59 } })).toBe('ok');
    expect(codeOf({}, { recent: { point: 6, gateway: 6 } })).toBe('rate');
    expect(codeOf({}, { recent: { point: 0, gateway: 60 } })).toBe('rate');
  });

  test('a gate or an elevator needs a second person, who is not the first', () => {
    expect(codeOf({ approver: null }, safety)).toBe('approver');
    expect(codeOf({ approver: good.actor }, safety)).toBe('approver');
    expect(codeOf({ approver: { ...good.actor, id: '018f0000-0000-7000-8000-0000000000a2' } }, safety)).toBe(
      'ok',
    );
  });
});
