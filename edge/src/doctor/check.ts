/** ok; warn: it works, and will not for ever; fail: it does not work; skipped: it could not be looked at. */
export type State = 'ok' | 'warn' | 'fail' | 'skipped';

/** What one look found. */
export interface Finding {
  /** What was looked at: 'clock', 'disk', 'device Main meter'. */
  readonly check: string;
  readonly state: State;
  /** What was found, with figures. */
  readonly found: string;
  /** What to do about it; empty when there is nothing to do. */
  readonly todo: string;
}

export const ok = (check: string, found: string): Finding => ({ check, state: 'ok', found, todo: '' });
export const warn = (check: string, found: string, todo: string): Finding => ({
  ...{ check, state: 'warn', found, todo },
});
export const fail = (check: string, found: string, todo: string): Finding => ({
  ...{ check, state: 'fail', found, todo },
});
export const skipped = (check: string, found: string): Finding => ({
  ...{ check, state: 'skipped', found, todo: '' },
});
