import type { CommandState, WriteLimits } from '@parkline/contract';
import { describe, expect, test } from 'vitest';
import { approvable, cancellable, type CommandPoint, order } from './command-domain.ts';

const write: WriteLimits = { min: 16, max: 30, perMinute: 6, priority: 16, holdS: 3_600, safety: false };
const point: CommandPoint = {
  ...{ id: 'p', equipmentId: 'e', gatewayId: 'g', kind: 'gauge', unit: '°C', protocol: 'bacnet', write },
};
const at = new Date('2026-11-22T10:00:00Z');
const wish = { value: 21, reason: 'too warm' };

describe('a wish to write', () => {
  test('waits to be sent, with the hold that the point has', () => {
    const queued = { state: 'queued', holdS: 3_600, safety: false, dueAt: new Date('2026-11-22T10:01:00Z') };
    expect(order(point, wish, at)).toEqual({ ok: true, ordered: queued });
    expect(order(point, { ...wish, holdS: 60 }, at)).toMatchObject({ ordered: { holdS: 60 } });
  });

  test('waits for a second person where people may be hurt', () => {
    const gate = { ...point, write: { ...write, safety: true } };
    expect(order(gate, wish, at)).toMatchObject({ ordered: { state: 'awaiting_approval', safety: true } });
  });

  test('has no hold where nothing gives the point back, nor when it gives it back itself', () => {
    expect(order({ ...point, protocol: 'modbus' }, wish, at)).toMatchObject({ ordered: { holdS: null } });
    expect(order(point, { ...wish, value: null }, at)).toMatchObject({ ordered: { holdS: null } });
    const released = { ...point, protocol: 'modbus', write: { ...write, release: 20 } };
    expect(order(released, wish, at)).toMatchObject({ ordered: { holdS: 3_600 } });
  });

  test.each([
    [{ ...point, write: null }, wish, 'read-only', undefined],
    [point, { ...wish, value: 31 }, 'range', 'body.value'],
    [point, { ...wish, holdS: 4_000 }, 'hold', 'body.holdS'],
    [point, { ...wish, reason: '      ' }, 'reason', 'body.reason'],
    [{ ...point, protocol: 'modbus' }, { ...wish, value: null }, 'release', 'body.value'],
  ])('is refused with the field to blame', (of, what, code, field) => {
    const refused = order(of, what, at);
    expect(refused).toMatchObject({ ok: false, code });
    expect('field' in refused ? refused.field : undefined).toBe(field);
  });
});

describe('a step of a person', () => {
  test('whoever asked cannot approve, and nothing is approved twice', () => {
    const waiting = { state: 'awaiting_approval', actorId: 'ada' } as const;
    expect(approvable(waiting, 'ada')).toBe('same_person');
    expect(approvable(waiting, 'bo')).toBeUndefined();
    expect(approvable({ ...waiting, state: 'queued' }, 'bo')).toBe('state');
  });

  test('what was sent cannot be taken back', () => {
    const free = (state: CommandState) => cancellable({ state }) === undefined;
    expect([free('awaiting_approval'), free('queued'), free('sent'), free('done')]).toEqual([
      ...[true, true, false, false],
    ]);
  });
});
