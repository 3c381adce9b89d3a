import type { IdentityProvider } from '@parkline/contract';
import { describe, expect, test } from 'vitest';
import { draftOf, isIssuer, movesAway, newProvider, providerPatch } from './draft.ts';

const kept: IdentityProvider = {
  ...{ id: 'p1', name: 'House', issuer: 'https://login.example.com/a', clientId: 'parkline' },
  ...{ hasClientSecret: true, trustSecondFactor: true, secondFactorAcr: ['gold', 'silver'] },
  ...{ defaultRole: 'guard', redirectUri: 'https://park.example/cb', people: 2, version: 3 },
};

test('a draft of what is kept changes nothing, and leaves the secret unsaid', () => {
  const { name, issuer, clientId, trustSecondFactor, secondFactorAcr, defaultRole } = kept;
  const same = { name, issuer, clientId, trustSecondFactor, secondFactorAcr, defaultRole };
  expect(providerPatch(draftOf(kept))).toEqual(same);
  expect(providerPatch({ ...draftOf(kept), dropsSecret: true })).toEqual({ ...same, clientSecret: null });
  expect(providerPatch({ ...draftOf(kept), secret: 's', dropsSecret: true }).clientSecret).toBe('s');
  expect(movesAway(draftOf(kept), kept)).toBe(false);
  expect(movesAway({ ...draftOf(kept), issuer: 'https://login.example.com/b' }, kept)).toBe(true);
});

test('a public client has no secret, and levels count only where the provider is trusted', () => {
  const typed = {
    ...draftOf(undefined),
    name: ' House ',
    issuer: 'https://a ',
    clientId: 'x',
    acr: ' gold ',
  };
  expect(newProvider(typed)).toEqual({
    ...{ name: 'House', issuer: 'https://a', clientId: 'x', clientSecret: null, defaultRole: null },
    ...{ trustSecondFactor: false, secondFactorAcr: [] },
  });
  expect(newProvider({ ...typed, trusts: true }).secondFactorAcr).toEqual(['gold']);
});

describe('an issuer', () => {
  test.each(['https://login.example.com', 'https://a/realms/office', 'http://127.0.0.1:9'])('is %s', (text) =>
    expect(isIssuer(text)).toBe(true),
  );
  test.each(['https://', 'login.example.com', 'https://a?b', 'https://a#b', 'https://a b'])(
    'is not %s',
    (text) => expect(isIssuer(text)).toBe(false),
  );
});
