import { expect, test } from 'vitest';
import { loadTemplate } from './load.ts';
import { deviceFile, templatesOf } from './testing.ts';

interface DeviceFile {
  variables: { name: string; as: string; quantity: string; weight?: number; writable?: string }[];
}

/** A state is a Boolean or an enumeration, which never scales. */
const stateTypes = ['Boolean', 'UInt16'];

test.each(templatesOf('opcua'))('%s says the same as the simulator’s table of that model', (id) => {
  const template = loadTemplate(id);
  const { variables } = deviceFile<DeviceFile>(id);
  for (const { key, kind, address, scale, write } of template.points) {
    const row = variables.find(({ quantity }) => quantity === key);
    if (!row) throw new Error(`${key} is not in the device table`);
    expect([key, address, scale]).toEqual([key, row.name, row.weight ?? 1]);
    expect([key, write !== undefined]).toEqual([key, row.writable !== undefined]);
    if (kind === 'state') expect([stateTypes.includes(row.as), scale]).toEqual([true, 1]);
    if (row.as === 'Boolean') expect([key, kind]).toEqual([key, 'state']);
  }
  expect(variables.map(({ quantity }) => quantity).sort()).toEqual(
    template.points.map(({ key }) => key).sort(),
  );
});

test('every state of an elevator has a name', () => {
  for (const { key, kind, states } of loadTemplate('elevator/generic-opcua').points) {
    expect([key, states !== undefined]).toEqual([key, kind === 'state']);
  }
});
