import { DataFactory, type Quad, Writer } from 'n3';
import type { EquipmentNode, Model, PlaceNode, PointNode } from './model.ts';

const { namedNode, literal, quad, blankNode } = DataFactory;

const prefixes = {
  brick: 'https://brickschema.org/schema/Brick#',
  rdf: 'http://www.w3.org/1999/02/22-rdf-syntax-ns#',
  rdfs: 'http://www.w3.org/2000/01/rdf-schema#',
  unit: 'http://qudt.org/vocab/unit/',
  bacnet: 'http://data.ashrae.org/bacnet/2020#',
  ref: 'https://brickschema.org/schema/Brick/ref#',
} as const;
const term = (prefix: keyof typeof prefixes, name: string) => namedNode(prefixes[prefix] + name);

/** QUDT's names of our units; those it has no word for are left out. */
const qudt: Readonly<Record<string, string>> = {
  kWh: 'KiloW-HR',
  kvarh: 'KiloV-A_Reactive-HR',
  kW: 'KiloW',
  kvar: 'KiloV-A_Reactive',
  kVA: 'KiloV-A',
  V: 'V',
  A: 'A',
  Hz: 'HZ',
  'm³': 'M3',
  'm³/h': 'M3-PER-HR',
  'L/h': 'L-PER-HR',
  '°C': 'DEG_C',
  K: 'K',
  kPa: 'KiloPA',
  Pa: 'PA',
  '%': 'PERCENT',
  s: 'SEC',
  ppm: 'PPM',
  'm/s': 'M-PER-SEC',
};

const placeClasses = { site: 'Site', building: 'Building', floor: 'Floor', space: 'Room' } as const;

/** The model in Turtle, classes of Brick 1.3. `base` begins every name: 'urn:parkline:<account>:'. */
export function toTurtle(model: Model, base: string): Promise<string> {
  const node = (ref: string) => namedNode(base + encodeURIComponent(ref));
  const nameOf = new Map([...model.places, ...model.equipment].map(({ id, ref }) => [id, node(ref)]));
  const quads = [
    ...model.places.flatMap((place) => placeQuads(place, node, nameOf)),
    ...model.equipment.flatMap((one) => equipmentQuads(one, node, nameOf)),
    ...model.points.flatMap((point) => pointQuads(point, node, nameOf)),
  ];
  const writer = new Writer({ prefixes: { ...prefixes, park: base } });
  writer.addQuads(quads);
  return new Promise((resolve, reject) =>
    writer.end((error: Error | null, text: string) => (error ? reject(error) : resolve(text))),
  );
}

type Node = ReturnType<typeof namedNode>;
type Named = (ref: string) => Node;
type Names = ReadonlyMap<string, Node>;

function named(subject: Node, brickClass: string, { en, zh }: { en: string; zh: string }): Quad[] {
  return [
    quad(subject, term('rdf', 'type'), term('brick', brickClass)),
    quad(subject, term('rdfs', 'label'), literal(en, 'en')),
    quad(subject, term('rdfs', 'label'), literal(zh, 'zh')),
  ];
}

function placeQuads({ ref, what, name, parentId }: PlaceNode, node: Named, nameOf: Names): Quad[] {
  const parent = parentId === null ? undefined : nameOf.get(parentId);
  return [
    ...named(node(ref), placeClasses[what], name),
    ...(parent ? [quad(node(ref), term('brick', 'isPartOf'), parent)] : []),
  ];
}

function equipmentQuads(one: EquipmentNode, node: Named, nameOf: Names): Quad[] {
  const subject = node(one.ref);
  const to = (property: string, id: string | null): Quad[] => {
    const object = id === null ? undefined : nameOf.get(id);
    return object ? [quad(subject, term('brick', property), object)] : [];
  };
  return [
    ...named(subject, one.brickClass, one.name),
    ...to('hasLocation', one.spaceId ?? one.floorId ?? one.buildingId),
    ...to('isSubMeterOf', one.submeterOf),
    ...one.serves.flatMap((place) => to('feeds', place)),
  ];
}

function pointQuads(point: PointNode, node: Named, nameOf: Names): Quad[] {
  const subject = node(point.ref);
  const place = point.spaceId === null ? undefined : nameOf.get(point.spaceId);
  const unit = qudt[point.unit];
  return [
    ...named(subject, point.brickClass ?? 'Point', point.name),
    quad(subject, term('brick', 'isPointOf'), node(point.equipment.ref)),
    ...(place ? [quad(subject, term('brick', 'hasLocation'), place)] : []),
    ...(unit ? [quad(subject, term('brick', 'hasUnit'), term('unit', unit))] : []),
    ...bacnetQuads(subject, point),
  ];
}

/** Where BACnet has it: the object, of the device. */
function bacnetQuads(subject: Node, { address, equipment: { protocol, params } }: PointNode): Quad[] {
  const { device } = params as { readonly device?: unknown };
  if (protocol !== 'bacnet' || typeof device !== 'number' || !/^[a-z-]+,\d{1,7}$/.test(address ?? ''))
    return [];
  const reference = blankNode();
  return [
    quad(subject, term('ref', 'hasExternalReference'), reference),
    quad(reference, term('rdf', 'type'), term('ref', 'BACnetReference')),
    quad(reference, term('bacnet', 'BACnetURI'), literal(`bacnet://${device}/${address}/present-value`)),
  ];
}
