import { expect, test } from 'vitest';
import {
  draftOfEquipment,
  draftOfPoint,
  equipmentBody,
  faultsOf,
  pointBody,
  tagsOf,
  tagsText,
} from './drafts.ts';

test('tags are typed as names and pairs, and read back the same', () => {
  const tags = tagsOf(' critical; stage=2 ；note=a roof;');
  expect(tags).toEqual({ critical: true, stage: 2, note: 'a roof' });
  expect(tagsOf(tagsText(tags))).toEqual(tags);
});

test.each([
  ['modbus', '7', { unit: 7, transport: 'tcp' }],
  ['bacnet', '2001', { device: 2001 }],
  ['opcua', 'Lift1', { root: 'Lift1' }],
  ['dlt645', '012345678901', { address: '012345678901' }],
  ['modbus', 'seven', { unit: 'seven', transport: 'tcp' }],
])('an address of %s goes out in the words of its protocol', (protocol, address, params) => {
  const draft = { ...draftOfEquipment(undefined, { nameZh: '表' }), address };
  expect(equipmentBody(draft, protocol, undefined)).toMatchObject({
    params,
    name: { en: '表', zh: '表' },
    floorId: null,
  });
});

test('a new point is read by its own address; one of a template by none', () => {
  const body = pointBody({ ...draftOfPoint(undefined), key: 'a', address: ' x ' }, undefined);
  expect(body).toMatchObject({
    source: { address: 'x', scale: 1, deadband: 0 },
    write: null,
    pollMs: 60_000,
  });
  expect(pointBody({ ...draftOfPoint(undefined), isOwn: false, isWritable: true }, undefined)).toMatchObject({
    source: null,
    write: { min: 0, max: 100, holdS: 3_600, perMinute: 6, priority: 16, safety: false },
  });
});

test('what the server finds wrong stands at its field', () => {
  const faults = faultsOf([{ field: 'body.params.unit', message: 'is taken' }]);
  expect([faults.get('params'), faults.get('params.unit'), faults.get('key')]).toEqual([
    'is taken',
    'is taken',
    undefined,
  ]);
  expect(faultsOf(undefined).size).toBe(0);
});
