import { DriverError, type PointRef } from '@parkline/kit';
import fc from 'fast-check';
import { BinaryStream } from 'node-opcua-binary-stream';
import * as library from 'node-opcua-client';
import { afterEach, expect, test, vi } from 'vitest';
import { addressOf, nodeIdOf, parseAddress } from './address.ts';
import { readingOf } from './convert.ts';
import { encode } from './encode.ts';
import { sampleOf } from './value.ts';

afterEach(() => void vi.restoreAllMocks());
const ref: PointRef = { pointId: 'p', address: 'A', scale: 0.1, kind: 'gauge' };
const numbers = fc.oneof(fc.double(), fc.integer(), fc.maxSafeInteger());

/** What a decoder may hand over, and what none should. */
const anyReading = fc.record({
  type: fc.oneof(
    fc.constantFrom('Float', 'Double', 'Int64', 'UInt64', 'Boolean', 'String', 'Null'),
    fc.string(),
  ),
  isArray: fc.boolean(),
  value: fc.oneof(
    numbers,
    fc.boolean(),
    fc.tuple(numbers, numbers),
    fc.anything({ withBigInt: true, withDate: true }),
  ),
  status: fc.record({ name: fc.string(), code: fc.nat(0xffff_ffff) }),
  sourceAt: fc.option(numbers, { nil: undefined }),
});
const anyRef = fc.record({
  ...{
    pointId: fc.constant('p'),
    address: fc.constant('A'),
    kind: fc.constantFrom('gauge', 'register', 'state'),
  },
  scale: fc.constantFrom(1, 0.1, 1e-9, 1e9, -1),
  offset: fc.constantFrom(0, -273.15),
});

test('whatever a server says becomes a good or uncertain number or a bad sample with its reason', () => {
  fc.assert(
    fc.property(anyReading, anyRef, (reading, point) => {
      const { value, quality, why } = sampleOf(point, reading, { beganAt: 0, at: 1 });
      if (quality === 'bad') expect([value, typeof why]).toEqual([null, 'string']);
      else expect(typeof value).toBe('number');
    }),
    { numRuns: 60_000 },
  );
});

test('a DataValue with changed octets is refused by the decoder or becomes a sample like any other', () => {
  const variants = [
    { dataType: library.DataType.Double, value: 230.1 },
    { dataType: library.DataType.Float, value: 4.5 },
    { dataType: library.DataType.Boolean, value: true },
    { dataType: library.DataType.UInt64, arrayType: library.VariantArrayType.Scalar, value: [1, 2] },
    { dataType: library.DataType.String, value: 'open' },
    {
      dataType: library.DataType.Int16,
      arrayType: library.VariantArrayType.Array,
      value: new Int16Array([1, 2]),
    },
  ];
  const originals = variants.map((value) => {
    const stream = new BinaryStream(200);
    const now = new Date(1_800_000_000_000);
    library.encodeDataValue(
      new library.DataValue({ value, sourceTimestamp: now, serverTimestamp: now }),
      stream,
    );
    return stream.buffer.subarray(0, stream.length);
  });
  // The library has a word for each status and each structure that it does not know.
  for (const way of ['warn', 'log'] as const) vi.spyOn(console, way).mockReturnValue();
  let taken = 0;
  fc.assert(
    fc.property(
      fc.constantFrom(...originals),
      fc.array(fc.tuple(fc.nat(199), fc.nat(255)), { minLength: 1, maxLength: 3 }),
      fc.nat(60),
      (original, changes, cut) => {
        const octets = Buffer.from(
          original.subarray(0, Math.max(1, original.length - Math.max(0, cut - 40))),
        );
        for (const [at, octet] of changes) octets[at % octets.length] = octet;
        const value = decoded(octets);
        if (!value) return;
        taken += 1;
        const sample = sampleOf(ref, readingOf(library, value), { beganAt: 0, at: 1 });
        expect(sample.quality === 'bad' ? sample.value : typeof sample.value).toBe(
          sample.quality === 'bad' ? null : 'number',
        );
      },
    ),
    { numRuns: 40_000 },
  );
  expect(taken).toBeGreaterThan(10_000);
});

/** The library throws at what it cannot decode, and ends the connection for it. */
function decoded(octets: Buffer): library.DataValue | undefined {
  try {
    return library.decodeDataValue(new BinaryStream(octets));
  } catch {
    return undefined;
  }
}

test('an address is understood or refused with a reason, and leads back to itself', () => {
  const root = { root: 'Lift1', namespaceUri: 'urn:maker' };
  const namespaces = ['ua', 'urn:server', 'urn:maker'];
  const texts = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom('n', 's', 'u', '=', ';', 'i', 'g', 'b', '0', '9', '.', ':', '-') }),
    fc
      .tuple(fc.constantFrom('ns=2;s=', 'nsu=urn:maker;s=', 's=', 'i=', 'g='), fc.string())
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(texts, (text) => {
      let nodeId: string | undefined;
      try {
        nodeId = nodeIdOf(parseAddress(text), root, namespaces);
      } catch (error) {
        expect(error).toBeInstanceOf(DriverError);
        return;
      }
      const parts = /^ns=(\d+);(.*)$/s.exec(nodeId ?? '');
      if (!parts) return;
      const address = addressOf({ namespace: Number(parts[1]), id: parts[2]! }, root, namespaces);
      expect(nodeIdOf(parseAddress(address), root, namespaces)).toBe(nodeId);
    }),
    { numRuns: 20_000 },
  );
});

test('whatever is ordered is encoded or refused with a reason', () => {
  fc.assert(
    fc.property(
      numbers,
      fc.oneof(fc.constantFrom('Float', 'Int64', 'Byte'), fc.string()),
      anyRef,
      (value, type, point) => {
        const result = encode(value, type, point);
        if (!result.ok) expect(result.why).not.toBe('');
      },
    ),
    { numRuns: 20_000 },
  );
});
