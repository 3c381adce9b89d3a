import { createHash } from 'node:crypto';
import { zstdDecompressSync } from 'node:zlib';
import { PointTable, SampleBatch } from '@parkline/contract';
import { Value } from 'typebox/value';
import { expect, test } from 'vitest';
import { encodeBatch, encodeTable, type StampedSample } from './codec.ts';

const table = 'a'.repeat(64);
const unpack = (bytes: Uint8Array): unknown => JSON.parse(zstdDecompressSync(bytes).toString());
const sample = (over: Partial<StampedSample> = {}): StampedSample => ({
  point: 0,
  at: 1_000,
  value: 21.5,
  quality: 'good',
  boundary: false,
  suspect: false,
  ...over,
});

test('a batch is columns that the contract accepts, times counted from the earliest', () => {
  const samples = [
    sample({ at: 1_500 }),
    sample({ point: 1, at: 1_000, value: 12_345_678, boundary: true }),
    sample({ point: 2, at: 2_000, value: null, quality: 'bad', suspect: true }),
    sample({ point: 1, at: 1_900, quality: 'uncertain', boundary: true, suspect: true }),
  ];
  const { bytes, ...facts } = encodeBatch(samples, table);
  const batch = unpack(bytes);
  expect(Value.Check(SampleBatch, batch)).toBe(true);
  expect(batch).toEqual({
    table,
    t0: 1_000,
    p: [0, 1, 2, 1],
    dt: [500, 0, 1_000, 900],
    v: [21.5, 12_345_678, null, 21.5],
    q: [0, 0, 2, 1],
    boundary: [1, 3],
    suspect: [2, 3],
  });
  expect(facts).toEqual({ count: 4, from: 1_000, to: 2_000 });
});

test('flags that nothing carries take no room', () => {
  expect(unpack(encodeBatch([sample()], table).bytes)).not.toHaveProperty('boundary');
  expect(unpack(encodeBatch([sample()], table).bytes)).not.toHaveProperty('suspect');
});

test('a table is named by the hash of its JSON', () => {
  const points: PointTable['points'] = [
    { id: '018f0000-0000-7000-8000-000000000001', unit: 'kWh', kind: 'register', resolution: 0.01 },
  ];
  const { bytes, hash, count } = encodeTable(points);
  const json = zstdDecompressSync(bytes);
  expect(Value.Check(PointTable, JSON.parse(json.toString()))).toBe(true);
  expect(hash).toBe(createHash('sha256').update(json).digest('hex'));
  expect(count).toBe(1);
  expect(encodeTable([{ ...points[0]!, resolution: 0.1 }]).hash).not.toBe(hash);
});
