import { expect, test } from 'vitest';
import { codeNotes, diffNote, diffText, rotationText, takenOver } from './gateway-words.ts';

const device = (what: 'add' | 'change' | 'conflict', add: number, change = 0) => ({
  ...{ what, id: '018f0000-0000-7000-8000-000000000001', name: 'Meter', protocol: 'modbus', why: '' },
  points: { add, change, same: 3 },
});

test.each([
  [[device('add', 1)], '1 device, 1 point'],
  [[device('add', 14), device('change', 0, 2)], '2 devices, 16 points'],
  [[device('add', 14), device('conflict', 5)], '1 device, 14 points; 1 device left out'],
])('says how many devices and points were taken over, and where', (changes, counts) => {
  expect(takenOver({ changes }, 'Building A')).toBe(`taken over into Building A: ${counts}`);
});

test('a first configuration is told as new as a whole, a later one by what is around a change', () => {
  const line = (how: 'same' | 'added' | 'removed', text: string) => ({ how, text });
  const first = {
    ...{ from: null, changed: true, lines: [line('added', 'version: 1'), line('added', 'name: A')] },
    counts: [
      { kind: 'bus', added: 2, changed: 0, removed: 0 } as const,
      { kind: 'setting', added: 1, changed: 0, removed: 0 } as const,
    ],
  };
  expect(diffNote('gw-a', first)).toBe('nothing was sent to gw-a from here yet: all of it is new\n');
  expect(diffText(first)).toBe('+ version: 1\n+ name: A\nadded: 2 buses, 1 setting\n');
  const same = ['a', 'b', 'c'].map((text) => line('same', text));
  const lines = [...same, line('removed', 'x'), line('added', 'y')];
  const counts = [
    { kind: 'device', added: 0, changed: 1, removed: 0 } as const,
    { kind: 'point', added: 1, changed: 3, removed: 2 } as const,
  ];
  const later = { from: 4, changed: true, counts, lines };
  expect(diffNote('gw-a', later)).toBe('');
  expect(diffText(later)).toBe(
    '  b\n  c\n- x\n+ y\nadded: 1 point; changed: 1 device, 3 points; removed: 2 points\n',
  );
  expect(diffText({ ...later, counts: [] })).toMatch(/\nonly the order or remarks differ\n$/);
  expect(diffText({ from: 4, changed: false, counts: [], lines: same })).toBe('nothing would change\n');
});

test('who asks for new keys of a gateway that is away is told when it hears of it, and until when', () => {
  const view = { rotation: { askedAt: '2026-11-23T00:00:00.000Z', until: '2026-12-23T00:00:00.000Z' } };
  expect(rotationText('gw-a', 'online', view)).toBe(
    'gw-a is asked to change its keys, until 2026-12-23T00:00:00.000Z',
  );
  expect(rotationText('gw-a', 'offline', view)).toBe(
    'gw-a is asked to change its keys; it is offline, and is told when it is heard, until 2026-12-23T00:00:00.000Z',
  );
});

test('a code for a gateway that has joined says what it does, and that older codes hold beside it', () => {
  const steps = (claimedAt: string | null) => ({
    steps: { codeMadeAt: null, claimedAt, connectedAt: null, configuredAt: null, firstValueAt: null },
  });
  const fresh = { ...steps(null), credentials: null, revokedAt: null };
  const joined = { ...fresh, ...steps('2026-11-22T00:00:00.000Z') };
  const made = { expiresAt: '2026-11-24T00:00:00.000Z' };
  const code = (state: 'open' | 'used' | 'expired', expiresAt: string) => ({
    ...{ id: '018f0000-0000-7000-8000-000000000001', createdAt: '2026-11-22T00:00:00.000Z', createdBy: null },
    ...{ state, expiresAt, usedAt: null, reusedAt: null },
  });
  const plain = 'holds until 2026-11-24T00:00:00.000Z; it is not shown again\n';
  const past = code('expired', '2026-11-22T01:00:00.000Z');
  expect(codeNotes('gw-a', fresh, { made, before: [past] })).toBe(plain);
  expect(codeNotes('gw-a', { ...joined, revokedAt: '2026-11-23T00:00:00.000Z' }, { made, before: [] })).toBe(
    plain,
  );
  const open = code('open', '2026-11-23T12:00:00.000Z');
  const said = codeNotes('gw-a', joined, { made, before: [past, open] });
  expect(said).toMatch(/\ngw-a has joined already: .* takes its place/);
  expect(said).toMatch(/\nan older code holds as well, until 2026-11-23T12:00:00.000Z; /);
  const two = [open, code('open', '2026-11-23T13:00:00.000Z')];
  expect(codeNotes('gw-a', fresh, { made, before: two })).toMatch(
    /\n2 older codes hold as well, until 2026-11-23T13/,
  );
});
