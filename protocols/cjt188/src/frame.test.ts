import { describe, expect, test } from 'vitest';
import { type Asked, encodeFrame, findAnswer, findFrames, question } from './frame.ts';
import { decodeField, fieldNames } from './layout.ts';
import { bytes } from './testing.ts';

// Telegrams as printed in public descriptions (the water meter's answer with its check sum added up anew: the print says 08): hftangyu.com/563 (water, low byte first), cnblogs.com/llguanli/p/8683992 (heat).
const water: Asked = {
  ...{ type: '10', address: '78330011223344' },
  ...{ control: 0x01, item: '901F', idOrder: 'low-first', serial: 0 },
};
const waterQuestion = 'FE FE FE FE 68 10 44 33 22 11 00 33 78 01 03 1F 90 00 80 16';
const waterAnswer =
  'FE FE FE FE 68 10 44 33 22 11 00 33 78 81 16 1F 90 00 00 77 66 55 2C 00 77 66 55 2C 31 01 22 11 05 15 20 21 84 13 16';
const heat: Asked = {
  ...{ type: '20', address: '00000040314132' },
  ...{ control: 0x01, item: '901F', idOrder: 'high-first', serial: 1 },
};

/** A telegram around data of our own, its check sum by hand: the sum of all bytes from 68 on. */
function telegram(type: string, address: string, control: string, data: string): Uint8Array {
  const length = bytes(data).length.toString(16).padStart(2, '0');
  const body = bytes(`68 ${type} ${address} ${control} ${length} ${data}`);
  const sum = body.reduce((total, byte) => total + byte, 0) % 256;
  return Uint8Array.from([...body, sum, 0x16]);
}

/** Heat meter: 36 GJ settled, 12.34 MWh, 5.5 kW, 0.8125 m³/h, 98.76 m³, 65.43 and 43.21 °C, 8760 h, clock, ST: battery low. */
const heatData = [
  ...['90 1F 01', '00 36 00 00 11', '34 12 00 00 08', '50 05 00 00 17', '25 81 00 00 35'],
  ...['76 98 00 00 2C', '43 65 00', '21 43 00', '60 87 00', '31 01 22 11 05 15 20', '04 00'],
].join(' ');

describe('a question', () => {
  test('for the metering data of a water meter', () => {
    expect(Buffer.from(question(water))).toEqual(Buffer.from(bytes(waterQuestion)));
  });
  test('for those of a heat meter that wants the high byte first', () => {
    expect(Buffer.from(question(heat))).toEqual(
      Buffer.from(bytes('FE FE FE FE 68 20 32 41 31 40 00 00 00 01 03 90 1F 01 20 16')),
    );
  });
  test('to a valve', () => {
    const order: Asked = {
      ...water,
      address: '78331505900569',
      control: 0x04,
      item: 'A017',
      idOrder: 'high-first',
      serial: 1,
    };
    expect(Buffer.from(question(order, [0x55]))).toEqual(
      Buffer.from(bytes('FE FE FE FE 68 10 69 05 90 05 15 33 78 04 04 A0 17 01 55 50 16')),
    );
  });
});

describe('an answer', () => {
  const payloadOf = (heard: Uint8Array, asked: Asked): Uint8Array => {
    const answer = findAnswer(heard, asked);
    if (answer?.kind !== 'data') throw new Error('no answer found');
    return answer.payload;
  };

  test('of a water meter', () => {
    const payload = payloadOf(bytes(waterAnswer), water);
    expect(decodeField(payload, '10', 'volume')).toEqual({ ok: true, value: 556677 });
    expect(decodeField(payload, '10', 'volume_settled')).toEqual({ ok: true, value: 556677 });
    // ST 21 84: valve closed, battery good, and bits of the maker's own.
    expect(decodeField(payload, '10', 'valve')).toEqual({ ok: true, value: 1 });
    expect(decodeField(payload, '10', 'battery_low')).toEqual({ ok: true, value: 0 });
    expect(decodeField(payload, '10', 'st15')).toEqual({ ok: true, value: 1 });
    expect(decodeField(payload, '10', 'energy')).toMatchObject({ ok: false });
  });

  test.each([
    ['energy_settled', 10_000],
    ['energy', 12_340],
    ['power', 5.5],
    ['flow', 0.8125],
    ['volume', 98.76],
    ['supply_temperature', 65.43],
    ['return_temperature', 43.21],
    ['work_hours', 8_760],
    ['valve', 0],
    ['battery_low', 1],
  ])('of a heat meter shows %s in our unit', (field, value) => {
    const payload = payloadOf(telegram('20', '32 41 31 40 00 00 00', '81', heatData), heat);
    expect(payload).toHaveLength(43);
    expect(decodeField(payload, '20', field)).toEqual({ ok: true, value });
  });

  test.each([
    ['another serial number', { serial: 2 }],
    ['another meter', { address: '00000040314133' }],
    ['another kind of meter', { type: '21' }],
    ['another item', { item: '901E' }],
    ['the other byte order', { idOrder: 'low-first' as const }],
    ['an order', { control: 0x04 as const }],
  ])('is not the one to a question with %s', (_what, other) => {
    const heard = telegram('20', '32 41 31 40 00 00 00', '81', heatData);
    expect(findAnswer(heard, heat)).toBeDefined();
    expect(findAnswer(heard, { ...heat, ...other })).toBeUndefined();
  });

  test('that refuses is known by its serial number', () => {
    const refusal = (data: string): Uint8Array => telegram('20', '32 41 31 40 00 00 00', 'C1', data);
    expect(findAnswer(refusal('01 04 00'), heat)).toEqual({ kind: 'refused', why: 'refused (010400H)' });
    expect(findAnswer(refusal('90 1F 01 04 00'), heat)).toMatchObject({ kind: 'refused' });
    expect(findAnswer(refusal('02 04 00'), heat)).toBeUndefined();
  });

  test('is found in pieces and behind noise', () => {
    const heard = Buffer.concat([bytes('68 10 68 FE'), bytes(waterQuestion), bytes(waterAnswer)]);
    for (let end = 0; end < heard.length; end += 1)
      expect(findAnswer(heard.subarray(0, end), water)).toBeUndefined();
    expect(findAnswer(heard, water)).toMatchObject({ kind: 'data', type: '10' });
  });
});

test.each([
  [
    'a unit that measures something else',
    '10',
    '00 77 66 55 05',
    'volume',
    /unit code 05H is none of volume/,
  ],
  ['a unit nobody knows', '10', '00 77 66 55 FE', 'volume', /unit code FEH/],
  ['no digits', '10', '00 7A 66 55 2C', 'volume', /not BCD/],
  ['no value', '10', 'FF FF FF FF 2C', 'volume', /no value/],
])('refuses %s', (_what, type, number, field, why) => {
  const payload = bytes(`${number} 00 77 66 55 2C 31 01 22 11 05 15 20 21 84`);
  const raw = decodeField(payload, type, field);
  expect(raw.ok ? '' : raw.why).toMatch(why);
});

test('refuses data that are too short, and kinds whose layout is not known', () => {
  expect(decodeField(bytes('00 77 66 55 2C'), '10', 'volume')).toMatchObject({
    ok: false,
    why: '5 bytes of data, not 19',
  });
  expect(decodeField(new Uint8Array(60), '22', 'energy')).toMatchObject({ ok: false });
  expect(fieldNames('22')).toBeUndefined();
});

test('a frame comes back as it was made', () => {
  const frame = { type: '30', address: '12345678901234', control: 0x81, data: Uint8Array.from([1, 2, 3]) };
  expect(findFrames(encodeFrame(frame))).toEqual([frame]);
});
