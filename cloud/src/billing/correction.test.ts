import { expect, test } from 'vitest';
import { noteCorrections } from './correction.ts';

test('each participant of either run gets a note of the difference', () => {
  const before = [
    { participant: 'A', total: 500n },
    { participant: 'B', total: 300n },
    { participant: 'C', total: 200n },
  ];
  const after = [
    { participant: 'A', total: 400n },
    { participant: 'B', total: 300n },
    { participant: 'D', total: 300n },
  ];
  expect(noteCorrections(before, after)).toEqual([
    { participant: 'A', cents: -100n, document: 'credit note' },
    { participant: 'B', cents: 0n, document: 'none' },
    { participant: 'C', cents: -200n, document: 'credit note' },
    { participant: 'D', cents: 300n, document: 'debit note' },
  ]);
});

test('corrections over two periods are two sets of notes, each adding up to its own supply', () => {
  const wrong = [
    { participant: 'A', total: 700n },
    { participant: 'L', total: 300n },
  ];
  const right = [
    { participant: 'A', total: 600n },
    { participant: 'L', total: 400n },
  ];
  const notes = [noteCorrections(wrong, right), noteCorrections(right, wrong)];
  expect(notes.map((set) => set.reduce((sum, { cents }) => sum + cents, 0n))).toEqual([0n, 0n]);
});
