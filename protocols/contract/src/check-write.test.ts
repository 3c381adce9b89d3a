import type { WriteLimits } from './write-limits.ts';
import { describe, expect, test } from 'vitest';
import { checkWrite, type WritablePoint } from './check-write.ts';

const limits: WriteLimits = { min: 16, max: 30, perMinute: 6, priority: 16, holdS: 3_600, safety: false };
const setpoint: WritablePoint = { kind: 'gauge', unit: '°C', write: limits };
const codeOf = (point: WritablePoint, wish: Parameters<typeof checkWrite>[1], hasPriorities = true) => {
  const checked = checkWrite(point, wish, hasPriorities);
  return checked.ok ? 'ok' : checked.code;
};

describe('whether a value may be written', () => {
  test('a point that is not declared writable is not written, whatever the value', () => {
    expect(codeOf({ kind: 'gauge', unit: '°C' }, { value: 20 })).toBe('read-only');
    expect(codeOf({ kind: 'gauge', unit: '°C' }, { value: null })).toBe('read-only');
  });

  test('a register counts and is never written', () => {
    expect(codeOf({ ...setpoint, kind: 'register' }, { value: 20 })).toBe('register');
  });

  test.each([
    [16, 'ok'],
    [30, 'ok'],
    [15.999, 'range'],
    [30.001, 'range'],
    [Infinity, 'range'],
    [NaN, 'range'],
  ])('%d is %s', (value, code) => {
    expect(codeOf(setpoint, { value })).toBe(code);
  });

  test('a step is kept, binary fractions or not', () => {
    const halves: WritablePoint = { ...setpoint, write: { ...limits, min: 16.1, step: 0.1 } };
    for (const value of [16.1, 16.4, 29.9, 16.1 + 0.1 + 0.1]) expect(codeOf(halves, { value })).toBe('ok');
    expect(codeOf(halves, { value: 16.15 })).toBe('step');
  });

  test('a state is a whole number', () => {
    const state: WritablePoint = { kind: 'state', unit: '1', write: { ...limits, min: 0, max: 2 } };
    expect(codeOf(state, { value: 1 })).toBe('ok');
    expect(codeOf(state, { value: 0.5 })).toBe('state');
  });

  test('it is held no longer than the point allows', () => {
    expect(codeOf(setpoint, { value: 20, holdS: 3_600 })).toBe('ok');
    expect(codeOf(setpoint, { value: 20, holdS: 3_601 })).toBe('hold');
  });

  test('it can be given back where the protocol or the limits say how', () => {
    const released: WritablePoint = { ...setpoint, write: { ...limits, release: 21 } };
    expect(codeOf(setpoint, { value: null }, true)).toBe('ok');
    expect(codeOf(setpoint, { value: null }, false)).toBe('release');
    expect(codeOf(released, { value: null }, false)).toBe('ok');
  });

  test('the refusal names value, range and unit', () => {
    const checked = checkWrite(setpoint, { value: 80 }, true);
    const en = '80 is outside what may be written, 16 to 30 °C';
    expect(checked).toMatchObject({ message: { en, zh: '80 超出允许写入的范围 16 至 30 °C' } });
  });
});
