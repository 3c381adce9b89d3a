import { describe, expect, test } from 'vitest';
import { byKey, faultsOf, fixture, parse } from './testing.ts';

const head =
  'point,slave_id,register,address,address_base,type,byte_order,scale,offset,unit,poll_s,writable,tags';
const file = (...rows: string[]): string => [head, ...rows].join('\n');

describe('a register list', () => {
  test('carries every column into the point', () => {
    const parsed = parse(
      'modbus',
      file('Energy,3,holding,40101,40001,uint32,CDAB,0.01,0,kWh,60,no,"elec,meter"'),
    );
    expect(parsed.found).toMatchObject([
      {
        row: 2,
        point: {
          key: '3/Energy',
          device: 3,
          address: 'hr:100:u32:CDAB',
          kind: 'register',
          unit: 'kWh',
          scale: 0.01,
          pollMs: 60_000,
          writable: false,
          tags: ['elec', 'meter'],
        },
      },
    ]);
  });

  test.each([
    ['counted from 0', 'holding,100,0,uint16', 'hr:100:u16'],
    ['counted from 1', 'holding,100,1,uint16', 'hr:99:u16'],
    ['in the numbering of manuals', 'input,30001,40001,float32', 'ir:0:f32'],
    ['of six digits', 'holding,465536,400001,int16', 'hr:65535:i16'],
    ['whose table only the number tells', ',10005,40001,', 'di:4'],
    ['of a coil', 'coil,17,0,bit', 'co:17'],
    ['of a bit', 'holding,37,0,bit:3', 'hr:37:bit:3'],
    ['of a bit behind a dot', 'holding,37.3,0,bool', 'hr:37:bit:3'],
    ['of a text', 'holding,0x10,0,string[8]', 'hr:16:str:8'],
    ['by its read function', '4,7,0,bcd', 'ir:7:bcd16'],
    ['of a double', 'holding,0,0,double', 'hr:0:f64'],
  ])('reads an address %s', (_what, columns, address) => {
    expect(parse('modbus', file(`p,1,${columns},,,,,,,`)).found[0]?.point.address).toBe(address);
  });

  test.each([
    ['ABCD', 'hr:0:u32'],
    ['CDAB', 'hr:0:u32:CDAB'],
    ['BADC', 'hr:0:u32:BADC'],
    ['dcba', 'hr:0:u32:DCBA'],
  ])('reads byte order %s', (order, address) => {
    expect(parse('modbus', file(`p,1,holding,0,0,uint32,${order},,,,,,`)).found[0]?.point.address).toBe(
      address,
    );
  });

  test.each([
    [',1,holding,0,0,u16,,,,,,,', 'point'],
    ['p,,holding,0,0,u16,,,,,,,', 'slave_id'],
    ['p,256,holding,0,0,u16,,,,,,,', 'slave_id'],
    ['p,1,shelf,0,0,u16,,,,,,,', 'register'],
    ['p,1,,0,0,u16,,,,,,,', 'register'],
    ['p,1,holding,,0,u16,,,,,,,', 'address'],
    ['p,1,holding,-1,0,u16,,,,,,,', 'address'],
    ['p,1,holding,0,1,u16,,,,,,,', 'address'],
    ['p,1,holding,65535,0,u32,,,,,,,', 'address'],
    ['p,1,holding,30001,40001,u16,,,,,,,', 'address'],
    ['p,1,holding,0,7,u16,,,,,,,', 'address_base'],
    ['p,1,holding,0,0,u17,,,,,,,', 'type'],
    ['p,1,holding,0,0,bit:16,,,,,,,', 'type'],
    ['p,1,holding,0,0,string:999,,,,,,,', 'type'],
    ['p,1,holding,0,0,u16,ABDC,,,,,,', 'byte_order'],
    ['p,1,holding,0,0,u16,,x,,,,,', 'scale'],
    ['p,1,holding,0,0,u16,,0,,,,,', 'scale'],
    ['p,1,holding,0,0,u16,,,1e999,,,,', 'offset'],
    ['p,1,holding,0,0,u16,,,,,0,,', 'poll_s'],
    ['p,1,holding,0,0,u16,,,,,,perhaps,', 'writable'],
    ['p,1,input,0,0,u16,,,,,,yes,', 'writable'],
    ['sound,1,holding,0,0,u16,,,,,,,', 'point'],
    ['"a\u0000b",1,holding,0,0,u16,,,,,,,', 'point'],
  ])('refuses %j at its column', (row, field) => {
    const parsed = parse('modbus', file('sound,1,holding,1,0,u16,,,,,,,', row));
    expect(faultsOf(parsed)).toEqual([`3 ${field}`]);
    expect(parsed.found).toHaveLength(1);
  });

  test('knows columns by other names, and decimals with a comma', () => {
    const text =
      'Name;Slave;Register type;Address;Data type;Factor;Units\nT;1;Holding Register;5;INT16;0,1;°F';
    expect(byKey(parse('modbus', text))['1/T']).toMatchObject({
      address: 'hr:5:i16',
      unit: '°C',
      scale: 0.1 * (5 / 9),
      offset: -160 / 9,
    });
  });

  test('a bit or a text without its number is kept, and says what is missing', () => {
    const { found, faults } = parse(
      'modbus',
      file('p,1,holding,0,0,bit,,,,,,,', 'q,1,holding,0,0,string,,,,,,,'),
    );
    expect(faults).toEqual([]);
    expect(found.map(({ point }) => point.address)).toEqual([null, null]);
    expect(found.map(({ point }) => point.note)).toEqual([
      expect.stringContaining('bit:3'),
      expect.stringContaining('string:8'),
    ]);
  });

  test('a strange unit stays in words', () => {
    const parsed = parse('modbus', file('p,1,holding,0,0,u16,,,,furlong,,,'));
    expect(parsed.found[0]?.point).toMatchObject({ unit: null, sourceUnit: 'furlong', scale: 1 });
  });
});

describe('register maps of others', () => {
  test('a table in JSON: byte order by digits, multiplier, then prefix', () => {
    const carlo = byKey(parse('modbus', fixture('modbus/carlo-em24.json')));
    expect(Object.keys(carlo)).toHaveLength(38);
    expect(carlo['VOLTAGE_L1_VOLTS']).toMatchObject({ address: 'hr:0:i32:CDAB', unit: 'V', scale: 0.1 });
    const abb = byKey(parse('modbus', fixture('modbus/abb-m4m.json')));
    expect(abb['POWER_TOTAL_KW']).toMatchObject({ address: 'hr:23322:i32', unit: 'kW', scale: 0.00001 });
    const rows = [{ address: 1, fnCode: 'F4_INPUT', format: '32BIT_FLOAT_2143', multiplier: '0.1 * 0.001', scale: 'KILO', uom: 'POWER_ACTIVE_P', name: 'p' }]; // prettier-ignore
    expect(byKey(parse('modbus', JSON.stringify(rows)))['p']).toMatchObject({ address: 'ir:1:f32:BADC', unit: 'kW', scale: 0.0001 }); // prettier-ignore
  });

  test('a table in JSON names the register and the field that is wrong', () => {
    const sound = { address: 1, fnCode: 'F3', format: '16BIT_INT_HI_FIRST', multiplier: 1, scale: 'NONE', uom: 'CURRENT_A' };
    const list = [{ ...sound, name: 'a' }, { ...sound, name: 'b', format: '24BIT' }, { ...sound, name: 'a' }, 7, { ...sound, name: 'c', multiplier: '1*x', fnCode: 'F9' }];
    expect(faultsOf(parse('modbus', JSON.stringify(list)))).toEqual(['2 format', '3 name', '4 register', '5 fnCode', '5 multiplier']);
  }); // prettier-ignore

  test('a device file of the local gateway: sections tell the table', () => {
    const parsed = parse('modbus', fixture('modbus/7M_24.yaml'));
    expect(parsed.source).toBe('modbus Finder 7M.24');
    expect(byKey(parsed)).toMatchObject({
      Voltage: { address: 'ir:2500:f32', unit: 'V' },
      'Counter N1': { address: 'ir:462:u32', unit: 'kWh', scale: 0.001, kind: 'register' },
    });
  });

  test('a device file may swap, sign, cut bits and write', () => {
    const yaml = `
device: { manufacturer: A, model: B }
read_write_word:
  mode: { address: 0x10, control: select, options: { 0: "Off", 1: "On" } }
  flag: { address: 3, bits: 1, shift_bits: 4, control: switch }
  part: { address: 3, bits: 3, shift_bits: 5 }
  sum: { address: 4, sum_scale: [1, 10000] }
  words: { address: 4, sum_scale: [1, 65536] }
read_only_word:
  power: { address: 7, size: 2, signed: true, swap: word, multiplier: 0.1, unit_of_measurement: W, unavailable_values: [-1] }
read_only_boolean:
  door: { address: 15 }
`;
    const parsed = parse('modbus', yaml);
    expect(parsed.faults).toEqual([]);
    expect(byKey(parsed)).toMatchObject({
      sum: { address: null, note: expect.stringContaining('sum of scaled registers') as string },
      words: { address: 'hr:4:u32:CDAB' },
      mode: { address: 'hr:16:u16', kind: 'state', writable: true, states: [[0, 'Off'], [1, 'On']] },
      flag: { address: 'hr:3:bit:4', writable: true },
      part: { address: 'hr:3:bits:5-7', writable: false },
      power: { address: 'ir:7:i32:CDAB', unit: 'kW', scale: 0.0001, sentinels: [-1] },
      door: { address: 'di:15', kind: 'state' },
    }); // prettier-ignore
  });

  test('an evcc template is read with its defaults, at the lines of the file', () => {
    const parsed = parse('modbus', fixture('modbus/acrel-adw300.yaml'));
    expect(parsed.faults).toEqual([]);
    expect(parsed.found[1]).toMatchObject({ row: 31, point: { key: 'energy', address: 'hr:62:i32', unit: 'kWh', scale: 0.01, kind: 'register' } }); // prettier-ignore
    expect(byKey(parsed)).toMatchObject({
      power: { address: 'hr:36:i32', unit: 'kW', scale: 0.001 },
      'currents.3': { address: 'hr:28:u16', unit: 'A', scale: 0.01 },
      'powers.1': { address: 'hr:30:i32' },
    });
  });

  test('an evcc template: branches, swapped words, what means nothing, and parameters nobody sets', () => {
    const yaml = `template: x
params:
  - { name: usage, choice: [pv, grid] }
render: |
  {{- if or (eq .usage "pv") (eq .usage "battery") }}
  power:
    source: modbus
    register: { address: 5, type: input, decode: uint32nan }
  {{- else }}
  power: { source: modbus, register: { address: 9, type: input, decode: int16 } }
  {{- end }}
  soc:
    source: calc
    add:
    - source: modbus
      register: { address: 7, type: holding, decode: float32s }
    - source: modbus
      register: { address: {{ .where }}, type: holding, decode: uint16 }
`;
    const parsed = parse('modbus', yaml);
    expect(faultsOf(parsed)).toEqual(['18 address']);
    expect(byKey(parsed)).toMatchObject({
      power: { address: 'ir:5:u32', sentinels: [0xffff_ffff] },
      'soc.add.1': { address: 'hr:7:f32:CDAB', unit: '%' },
    });
  });

  test('a SunSpec model has addresses once base and scale factors are told', () => {
    const model = { id: 203, group: { name: 'm', points: [
      { name: 'ID', type: 'uint16', size: 1 }, { name: 'L', type: 'uint16', size: 1 },
      { name: 'A', type: 'int16', size: 1, sf: 'A_SF', units: 'A' }, { name: 'A_SF', type: 'sunssf', size: 1 },
      { name: 'Wh', type: 'acc32', size: 2, sf: -1, units: 'Wh' }, { name: 'X', type: 'quark', size: 1 } ] } }; // prettier-ignore
    const text = JSON.stringify(model);
    const blind = parse('modbus', text);
    expect(faultsOf(blind)).toEqual(['6 type']);
    expect(byKey(blind)['A']).toMatchObject({
      address: null,
      note: expect.stringContaining('A_SF') as string,
    });
    const told = byKey(parse('modbus', text, { base: 40_070, scaleFactors: new Map([['A_SF', -2]]) }));
    expect(told).toMatchObject({
      A: { address: 'hr:40072:i16', unit: 'A', scale: 0.01, sentinels: [-0x8000] },
      Wh: { address: 'hr:40074:u32', unit: 'kWh', scale: 0.0001, kind: 'register' },
    });
    expect(byKey(parse('modbus', fixture('modbus/model_1.json'), { base: 40_002 }))['DA']).toMatchObject({ address: 'hr:40068:u16', writable: true }); // prettier-ignore
  });

  test('JSON and YAML that break off, or are something else, say where', () => {
    expect(faultsOf(parse('modbus', '[\n{"address": 1,\n}]'))).toEqual(['3 json']);
    expect(faultsOf(parse('modbus', '{"a": 1}'))).toEqual(['1 json']);
    expect(faultsOf(parse('modbus', 'device:\n  a: "x\n'))).toMatchObject([
      expect.stringMatching(/^\d+ yaml$/),
    ]);
    expect(parse('modbus', '['.repeat(200_000)).faults).toHaveLength(1);
  });
});
