import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Parsed } from './answer.ts';
import { crc16, createMbapFramer, createRtuFramer, createSerialFramer, type Framer } from './frame.ts';
import {
  maskRegister,
  readIdentification,
  readOf,
  type ReadRange,
  reportServerId,
  type Request,
  writeCoil,
  writeRegister,
  writeRegisters,
} from './requests.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
const hex = (data: Uint8Array): string => Buffer.from(data).toString('hex');
const said = (parsed: Parsed): unknown => (parsed.kind === 'data' ? hex(parsed.data) : parsed);
const range: ReadRange = { unit: 0x11, fc: 3, start: 0x6b, count: 3 };
const ask = readOf(range);

/** `body` (from the unit on) as a frame on the line. */
function rtu(body: string): Uint8Array {
  const crc = crc16(bytes(body));
  return bytes(
    `${body}${(crc & 0xff).toString(16).padStart(2, '0')}${(crc >> 8).toString(16).padStart(2, '0')}`,
  );
}

test('asks as the specification shows it', () => {
  expect(hex(createMbapFramer().encode(ask))).toBe('000100000006' + '1103006b0003');
  expect(hex(createRtuFramer().encode(ask))).toBe('1103006b0003' + '7687');
});

test('the check sum of a frame with its check sum is zero', () => {
  expect(crc16(bytes('1103006b00037687'))).toBe(0);
});

const transports = [
  [
    'MBAP',
    createMbapFramer,
    (body: string) => bytes(`00010000${(body.length / 2).toString(16).padStart(4, '0')}${body}`),
  ],
  ['RTU', createRtuFramer, rtu],
] as const;

const opened = (create: () => Framer): Framer => {
  const framer = create();
  framer.encode(ask);
  return framer;
};

test.each(transports)('%s: a good answer gives its data', (_name, create, frame) => {
  expect(said(opened(create).push(frame('110306022b00000064')))).toBe('022b00000064');
});

test.each(transports)('%s: coils come in bytes', (_name, create, frame) => {
  const framer = create();
  framer.encode(readOf({ unit: 0x11, fc: 1, start: 0, count: 9 }));
  expect(said(framer.push(frame('1101020d01')))).toBe('0d01');
});

test.each(transports)('%s: a refusal gives its code', (_name, create, frame) => {
  expect(opened(create).push(frame('118302'))).toEqual({ kind: 'exception', code: 2 });
});

test('Modbus TCP: an answer that broke off and was filled up with the next frame is none', () => {
  const framer = opened(createMbapFramer);
  expect(framer.push(bytes('0001 0000 0009 11 03 06 022b 0000 00')).kind).toBe('more');
  expect(framer.push(bytes('0002 0000 0009 11 03 06 022b 0000 0064'))).toMatchObject({ kind: 'broken' });
  expect(framer.isWornOut).toBe(true);
});

test('Modbus TCP: what is said twice is one answer', () => {
  const framer = opened(createMbapFramer);
  const answer = '0001 0000 0009 11 03 06 022b 0000 0064';
  expect(said(framer.push(bytes(answer + answer)))).toBe('022b00000064');
  expect(framer.isWornOut).toBe(false);
});

test.each(transports)('%s: an answer torn into single bytes is put together', (_name, create, frame) => {
  const framer = opened(create);
  const parts = [...frame('110306022b00000064')].map((byte) => framer.push(Uint8Array.of(byte)));
  expect(parts.slice(0, -1).every(({ kind }) => kind === 'more')).toBe(true);
  expect(said(parts.at(-1)!)).toBe('022b00000064');
});

test.each(transports)(
  '%s: an answer of another unit, function or length breaks the stream',
  (_name, create, frame) => {
    expect(opened(create).push(frame('120306022b00000064'))).toMatchObject({
      kind: 'broken',
      why: 'unit 18 answered for 17',
    });
    expect(opened(create).push(frame('110406022b00000064'))).toMatchObject({
      kind: 'broken',
      why: 'function 4 answered 3',
    });
    expect(opened(create).push(frame('1103040000006400'))).toMatchObject({
      kind: 'broken',
      why: '4 data bytes answered 6',
    });
    expect(opened(create).push(frame('118402'))).toMatchObject({ kind: 'broken' });
  },
);

test('MBAP: what is no Modbus breaks the stream', () => {
  expect(opened(createMbapFramer).push(bytes('0001 0001 0006 11 0300'))).toMatchObject({
    why: 'protocol 1 is not Modbus',
  });
  expect(opened(createMbapFramer).push(bytes('0001 0000 0002 11 0300'))).toMatchObject({
    why: 'a frame of 2 bytes',
  });
  expect(opened(createMbapFramer).push(bytes('0001 0000 ffff 11 0300'))).toMatchObject({
    why: 'a frame of 65535 bytes',
  });
});

test('MBAP: a late answer is dropped, even one that comes together with the right one', () => {
  const framer = createMbapFramer();
  framer.encode(ask);
  framer.giveUp();
  framer.encode(ask);
  const late = '0001 0000 0009 11 03 06 dead dead dead';
  expect(framer.push(bytes(late))).toEqual({ kind: 'more' });
  expect(said(framer.push(bytes(`${late} 0002 0000 0009 11 03 06 022b 0000 0064`)))).toBe('022b00000064');
  expect(framer.push(bytes(late))).toEqual({ kind: 'more' });
});

test('MBAP: transaction numbers come round only when every request was answered', () => {
  const answered = createMbapFramer();
  const doubtful = createMbapFramer();
  doubtful.encode(ask);
  doubtful.giveUp();
  for (let n = 0; n < 0xffff; n += 1) answered.encode(ask);
  for (let n = 0; n < 0xfffe; n += 1) doubtful.encode(ask);
  expect([answered.isWornOut, doubtful.isWornOut]).toEqual([false, true]);
  expect(hex(answered.encode(ask)).slice(0, 4)).toBe('0001');
});

test('MBAP: half a frame that nobody waits for wears the stream out, half an answer does not', () => {
  const half = bytes('0001 0000 0009 11 03');
  const given = opened(createMbapFramer);
  given.push(half);
  expect(given.isWornOut).toBe(false);
  given.giveUp();
  expect(given.isWornOut).toBe(true);
  const idle = createMbapFramer();
  expect([idle.push(half).kind, idle.isWornOut]).toEqual(['more', true]);
  const answered = opened(createMbapFramer);
  answered.push(bytes('0001 0000 0003 11 83 02 00'));
  expect(answered.isWornOut).toBe(true);
});

test('RTU: a wrong check sum, bytes after the answer and bytes nobody asked for break the stream for good', () => {
  const good = rtu('110306022b00000064');
  const bent = Uint8Array.from(good);
  bent[5]! ^= 1;
  for (const [stream, why] of [
    [bent, 'check sum'],
    [Uint8Array.of(...good, 0), '1 bytes after the answer'],
  ] as const) {
    const framer = opened(createRtuFramer);
    expect([framer.push(stream), framer.isWornOut]).toEqual([{ kind: 'broken', why }, true]);
  }
  expect(createRtuFramer().push(good)).toEqual({ kind: 'broken', why: 'bytes that nobody asked for' });
});

test('RTU: after a request was given up the stream carries no other', () => {
  const framer = opened(createRtuFramer);
  expect(framer.isWornOut).toBe(false);
  framer.giveUp();
  expect(framer.isWornOut).toBe(true);
});

/** A good answer after some bytes were changed, lost, doubled or added, in pieces. */
const mutations = fc.record({
  flips: fc.array(fc.tuple(fc.nat(300), fc.integer({ min: 1, max: 255 })), { maxLength: 4 }),
  cut: fc.option(fc.nat(300), { nil: undefined }),
  extra: fc.uint8Array({ maxLength: 12 }),
  extraFirst: fc.boolean(),
  pieces: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
  count: fc.integer({ min: 1, max: 20 }),
});

test.each(transports)(
  '%s: 15,000 bent answers: no crash, and never data that is not the device’s own',
  (_name, create, frame) => {
    fc.assert(
      fc.property(mutations, ({ flips, cut, extra, extraFirst, pieces, count }) => {
        const framer = create();
        framer.encode(readOf({ ...range, count }));
        const data = Array.from({ length: count * 2 }, (_, at) =>
          ((at * 37 + 5) & 0xff).toString(16).padStart(2, '0'),
        ).join('');
        const good = frame(`1103${(count * 2).toString(16).padStart(2, '0')}${data}`);
        const bent = Uint8Array.from(good);
        for (const [at, mask] of flips) bent[at % bent.length]! ^= mask;
        const kept = cut === undefined ? bent : bent.subarray(0, cut % bent.length);
        const stream = extraFirst ? Uint8Array.of(...extra, ...kept) : Uint8Array.of(...kept, ...extra);

        for (let at = 0, turn = 0; at < stream.length; turn += 1) {
          const size = pieces[turn % pieces.length]!;
          const parsed = framer.push(stream.subarray(at, at + size));
          at += size;
          if (parsed.kind !== 'data') continue;
          expect(parsed.data).toHaveLength(count * 2); // A value always has its own registers, all of them.
          const isUntouched = hex(parsed.data) === data;
          // TCP frames carry no check sum; a line's do, and let one bend in 65,536 through: the seed is fixed, so none of these.
          if (create === createRtuFramer) expect(isUntouched).toBe(true);
        }
      }),
      { numRuns: 15_000, seed: 7 },
    );
  },
);

test.each(transports)('%s: noise never becomes data', (_name, create) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), (chunks) => {
      const framer = opened(create);
      for (const chunk of chunks) expect(framer.push(chunk).kind).not.toBe('data');
    }),
    { numRuns: 5_000 },
  );
});

/** Requests other than reads, a good answer to each (from the unit on) and what it carries. */
const others: readonly (readonly [name: string, request: Request, answer: string, data: string])[] = [
  ['a coil', writeCoil(0x11, 0xac, true), '110500acff00', ''],
  ['a register', writeRegister(0x11, 1, Uint8Array.of(0, 3)), '110600010003', ''],
  ['registers', writeRegisters(0x11, 1, Uint8Array.of(0, 10, 1, 2)), '111000010002', ''],
  ['a mask', maskRegister(0x11, 4, 0xf2, 0x25), '1116000400f20025', ''],
  ['a server id', reportServerId(0x11), '11110441420aff', '41420aff'],
  [
    'an identification',
    readIdentification(0x11, 1, 0),
    '112b0e010100000200024142' + '010143',
    '0e010100000200024142' + '010143',
  ],
];

describe.each([...transports, ['serial', createSerialFramer, rtu] as const])('%s', (name, create, frame) => {
  test.each(others)('takes the answer to %s, whole and torn', (_what, request, answer, data) => {
    const whole = create();
    whole.encode(request);
    expect(said(whole.push(frame(answer)))).toBe(data);
    const torn = create();
    torn.encode(request);
    const parts = [...frame(answer)].map((byte) => torn.push(Uint8Array.of(byte)));
    expect(parts.slice(0, -1).every(({ kind }) => kind === 'more')).toBe(true);
    expect(said(parts.at(-1)!)).toBe(data);
  });

  test.each(others)('takes the refusal of %s', (_what, request) => {
    const framer = create();
    framer.encode(request);
    const code = (request.fc | 0x80).toString(16);
    expect(framer.push(frame(`11${code}04`))).toEqual({ kind: 'exception', code: 4 });
  });

  test('a write answered with another place or value is none of its answers', () => {
    for (const answer of ['110600020003', '110600010004', '110500010003']) {
      const framer = create();
      framer.encode(writeRegister(0x11, 1, Uint8Array.of(0, 3)));
      expect(framer.push(frame(answer)).kind).toBe(name === 'serial' ? 'more' : 'broken');
    }
  });

  test('8,000 bent answers to writes and inquiries: no crash, and no write is called done that was not', () => {
    fc.assert(
      fc.property(
        fc.nat(others.length - 1),
        fc.array(fc.tuple(fc.nat(40), fc.integer({ min: 1, max: 255 })), { minLength: 1, maxLength: 4 }),
        fc.uint8Array({ maxLength: 6 }),
        (which, flips, extra) => {
          const [, request, answer, data] = others[which]!;
          const framer = create();
          framer.encode(request);
          const bent = frame(answer);
          const at = new Set(flips.map(([place]) => place % bent.length));
          for (const [place, mask] of flips)
            if (at.delete(place % bent.length)) bent[place % bent.length]! ^= mask;
          const parsed = [bent, extra].map((bytes) => framer.push(bytes)).find(({ kind }) => kind === 'data');
          if (!parsed) return;
          // A check sum lets one bend in 65,536 through: none of these. On TCP a bend in what an inquiry carries, or in the frame's own number of bytes to come, cannot be seen.
          if (name !== 'MBAP') expect(said(parsed)).toBe(data);
          else if (request.answer.kind === 'echo')
            expect(bent.subarray(2)).toEqual(frame(answer).subarray(2));
        },
      ),
      { numRuns: 8_000, seed: 11 },
    );
  });
});

test('serial: what another unit says late, and noise, is passed over before the answer', () => {
  const late = rtu('120304dead0000');
  const answer = rtu('110306022b00000064');
  const framer = opened(createSerialFramer);
  expect(framer.push(Uint8Array.of(0, 0xff, ...late))).toEqual({ kind: 'more' });
  expect(said(framer.push(answer))).toBe('022b00000064');
  expect(framer.push(late)).toEqual({ kind: 'more' });
  framer.encode(ask);
  framer.giveUp();
  expect([framer.push(answer), framer.isWornOut]).toEqual([{ kind: 'more' }, false]);
});

test('serial: a bent answer is told at once, and a line that is never silent after a while', () => {
  const bent = rtu('110306022b00000064');
  bent[5]! ^= 1;
  expect(opened(createSerialFramer).push(bent)).toEqual({ kind: 'broken', why: 'check sum' });
  const framer = opened(createSerialFramer);
  expect(framer.push(new Uint8Array(1_000))).toEqual({ kind: 'more' });
  expect(framer.push(new Uint8Array(100))).toEqual({ kind: 'broken', why: 'noise without end' });
});
