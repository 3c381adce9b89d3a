import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { readIfThere, writeWhole } from './files.ts';
import { newToken } from './keys.ts';

/** The part of a park file that tells which devices log in at a gateway; everything else of it is checked by its readers. */
interface Park {
  readonly buildings?: readonly {
    readonly buses?: readonly { readonly key: string; readonly protocol?: string }[];
    readonly equipment?: readonly { readonly key: string; readonly bus: string }[];
  }[];
}

/** Keys of the devices that speak MQTT. Pure. */
export function mqttDevices(parkText: string): string[] {
  const { buildings = [] } = (parse(parkText) ?? {}) as Park;
  const buses = new Set(
    buildings.flatMap(({ buses: list = [] }) =>
      list.filter(({ protocol }) => protocol === 'mqtt').map(({ key }) => key),
    ),
  );
  return buildings.flatMap(({ equipment = [] }) =>
    equipment.filter(({ bus }) => buses.has(bus)).map(({ key }) => key),
  );
}

/**
 * Sees to it that every MQTT device of the park has a token in `file`, `{"<equipment key>": "<token>"}`. Each is made once;
 * those of devices that the park no longer has stay. @returns false when the park has no such device.
 */
export async function keepDeviceTokens(file: string, parkFile: string): Promise<boolean> {
  const keys = mqttDevices(await readFile(parkFile, 'utf8'));
  const text = await readIfThere(file);
  const known = (text === undefined ? {} : JSON.parse(text)) as Record<string, string>;
  const missing = keys.filter((key) => known[key] === undefined);
  if (missing.length > 0) {
    const tokens = { ...known, ...Object.fromEntries(missing.map((key) => [key, newToken()])) };
    await writeWhole(file, `${JSON.stringify(tokens, null, 2)}\n`);
  }
  return keys.length > 0;
}
