import { expect, test } from 'vitest';
import { gaveSecondFactor, nameOf, verifiedEmail } from './oidc-claims.ts';

const sub = 's';

test.each([
  [{ sub, email: 'an@example.org', email_verified: true }, 'an@example.org'],
  [{ sub, email: 'an@example.org', email_verified: 'true' }, undefined],
  [{ sub, email: 'an@example.org' }, undefined],
  [{ sub, email: 'an', email_verified: true }, undefined],
  [{ sub, email: ['an@example.org'], email_verified: true }, undefined],
])('the address of %j is %s', (claims, email) => expect(verifiedEmail(claims)).toBe(email));

test.each([
  [{ sub, amr: ['pwd', 'mfa'] }, { trustSecondFactor: true, secondFactorAcr: [] }, true],
  [{ sub, amr: ['pwd', 'mfa'] }, { trustSecondFactor: false, secondFactorAcr: [] }, false],
  [{ sub, amr: ['pwd'] }, { trustSecondFactor: true, secondFactorAcr: [] }, false],
  [{ sub, amr: 'mfa' }, { trustSecondFactor: true, secondFactorAcr: [] }, false],
  [{ sub, acr: 'gold' }, { trustSecondFactor: true, secondFactorAcr: ['gold'] }, true],
  [{ sub, acr: 'gold' }, { trustSecondFactor: false, secondFactorAcr: ['gold'] }, false],
  [{ sub, acr: '' }, { trustSecondFactor: true, secondFactorAcr: [] }, false],
])('%j with %j: second factor %s', (claims, trust, gave) =>
  expect(gaveSecondFactor(claims, trust)).toBe(gave),
);

test('somebody without a name is called by the address', () => {
  expect(nameOf({ sub, name: ' Lin ' }, 'a@b')).toBe('Lin');
  expect(nameOf({ sub, name: ' ' }, 'a@b')).toBe('a@b');
});
