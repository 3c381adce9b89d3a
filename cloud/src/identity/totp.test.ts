import { expect, test } from 'vitest';
import { newRecoveryCodes, newTotpSecret, recoveryCodeHash, totpEnrolment, totpStep } from './totp.ts';

/** The vectors of RFC 6238 appendix B, SHA-1, cut to six digits. */
const secret = Buffer.from('12345678901234567890');
const vectors = [
  [59, '287082'],
  [1111111109, '081804'],
  [1111111111, '050471'],
  [1234567890, '005924'],
  [2000000000, '279037'],
] as const;

test.each(vectors)('knows the code of second %i', (second, code) => {
  expect(totpStep(secret, code, new Date(second * 1_000), null)).toBe(Math.floor(second / 30));
});

test('takes a code half a minute early or late, and no more', () => {
  const steps = [-60, -30, 0, 30, 60].map((off) =>
    totpStep(secret, '005924', new Date((1234567890 + off) * 1_000), null),
  );
  const step = Math.floor(1234567890 / 30);
  expect(steps).toEqual([undefined, step, step, step, undefined]);
});

test('takes no code twice, nor one from before the last', () => {
  const at = new Date(1111111111_000);
  const last = totpStep(secret, '050471', at, null) ?? 0;
  expect(totpStep(secret, '050471', at, last)).toBeUndefined();
  expect(totpStep(secret, '081804', at, last)).toBeUndefined();
  expect(totpStep(secret, '050471', at, last - 1)).toBe(last);
});

test.each(['', '05047', '0504710', 'abcdef', '050 471'])('takes %j for no code', (code) => {
  expect(totpStep(secret, code, new Date(1111111111_000), null)).toBeUndefined();
});

test('tells an app what it needs, with a secret of 160 bits', () => {
  const fresh = newTotpSecret();
  expect(fresh).toHaveLength(20);
  const { secret: text, uri } = totpEnrolment(secret, 'Parkline', 'li@park');
  expect(text).toBe('GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
  expect(uri).toBe(
    `otpauth://totp/Parkline:li%40park?issuer=Parkline&secret=${text}&algorithm=SHA1&digits=6&period=30`,
  );
});

test('makes ten recovery codes, none twice, and knows one however it is typed', () => {
  const codes = newRecoveryCodes();
  expect(new Set(codes).size).toBe(10);
  for (const code of codes) expect(code).toMatch(/^([a-hjkmnp-z2-9]{4}-){3}[a-hjkmnp-z2-9]{4}$/);
  const [one = ''] = codes;
  expect(recoveryCodeHash(` ${one.toUpperCase().replaceAll('-', ' ')} `)).toEqual(recoveryCodeHash(one));
});
