import type { Equipment } from '@parkline/contract';
import type { Park } from './park.svelte.ts';

/** Something of the park that can be gone to. */
export interface Hit {
  readonly id: string;
  readonly name: string;
  /** From the site down to it, without itself. */
  readonly path: readonly string[];
  readonly type: 'place' | 'device';
  /** What kind of device it is, in words. */
  readonly kind?: string;
}

/** The words for a kind of equipment. */
type KindName = (kind: string) => string;

const most = 12;

function everything(park: Pick<Park, 'sites' | 'devices' | 'pathTo'>, kindName: KindName): Hit[] {
  const places = park.sites.flatMap((site) => [
    { id: site.id, name: site.name, path: [], type: 'place' as const },
    ...site.buildings.flatMap((building) => [
      { id: building.id, name: building.name, path: [site.name], type: 'place' as const },
      ...building.floors.map(({ id, name }) => ({
        id,
        name,
        path: [site.name, building.name],
        type: 'place' as const,
      })),
    ]),
  ]);
  const whereOf = ({ floorId, buildingId }: Equipment) =>
    park.pathTo(floorId ?? buildingId).map(({ name }) => name);
  return [
    ...places,
    ...park.devices.map((device) => ({
      id: device.id,
      name: device.name,
      path: whereOf(device),
      type: 'device' as const,
      kind: kindName(device.kind),
    })),
  ];
}

/** Every word must occur in the name, the kind or on the way to it; names that begin with the first word come first. */
export function search(
  park: Pick<Park, 'sites' | 'devices' | 'pathTo'>,
  text: string,
  kindName: KindName,
): Hit[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const first = words[0] ?? '';
  const rank = ({ name }: Hit) => {
    const lower = name.toLowerCase();
    return lower.startsWith(first) ? 0 : lower.includes(first) ? 1 : 2;
  };
  return everything(park, kindName)
    .filter(({ name, path, kind = '' }) => {
      const where = [...path, name, kind].join(' ').toLowerCase();
      return words.every((word) => where.includes(word));
    })
    .sort((a, b) => rank(a) - rank(b))
    .slice(0, most);
}
