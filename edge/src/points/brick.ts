import * as bacnet from './bacnet-names.ts';
import { type Graph, localName, type Node, readGraph } from './brick-graph.ts';
import { createCollector, draft, type Parsed, type PointDraft, type SourceFile } from './point.ts';
import { textFault } from './table.ts';
import { inUnit, isCounted } from './units.ts';

const BRICK = /^https?:\/\/brickschema\.org\/schema\/(?:[\d.]+\/)?Brick#([\w-]+)$/;
/** Every class of points ends so; "Limit" and "Step" stand for parameters without the word. */
const POINT = /(?:^|_)(Point|Sensor|Setpoint|Command|Status|Alarm|Parameter|Limit|Deadband)$/;

/** Parses a Brick model in Turtle: its points with class, equipment, place, unit and BACnet reference. A row is a line. */
export function parseBrick(file: SourceFile): Parsed {
  const collector = createCollector();
  const graph = readGraph(file.text);
  if ('fault' in graph) {
    collector.fault(graph.fault.row, graph.fault.field, graph.fault.message);
    return collector.done('brick');
  }
  let seen = 0;
  for (const node of graph.nodes.values()) {
    const brick = classOf(node, graph);
    const isHeld = node.in.has('hasPoint') || node.out.has('isPointOf');
    if (!isHeld && !(brick && POINT.test(brick))) continue;
    if (node.out.get('type')?.some(({ value }) => localName(value) === 'Class')) continue;
    seen += 1;
    // A node without a name stands in the lines of what points at it.
    const row = graph.rowOf(node.isBlank ? (node.in.get('hasPoint')?.[0] ?? '') : node.id);
    const fail = (field: string, message: string): void => {
      collector.fault(row, field, message);
    };
    const point = readPoint(node, brick, graph, fail);
    if (point) collector.add(row, point, 'id');
  }
  if (seen === 0) {
    collector.fault(
      1,
      'rdf:type',
      'nothing in the file is a point of Brick (..._Sensor, ..._Setpoint, ..._Status, ...)',
    );
  }
  return collector.done('brick');
}

/** The Brick class of a node: its own, or that of the class the file derives its own from. */
function classOf(node: Node, graph: Graph, depth = 0): string | undefined {
  const types = node.out.get(depth === 0 ? 'type' : 'subClassOf') ?? [];
  const brick = types.flatMap(({ value }) => BRICK.exec(value)?.[1] ?? []);
  const found = brick.find((name) => POINT.test(name)) ?? brick[0];
  if (found !== undefined || depth > 10) return found;
  for (const { value } of types) {
    const parent = graph.nodes.get(value);
    const inherited = parent && classOf(parent, graph, depth + 1);
    if (inherited !== undefined) return inherited;
  }
  return undefined;
}

function readPoint(
  node: Node,
  brick: string | undefined,
  graph: Graph,
  fail: (field: string, message: string) => void,
): PointDraft | undefined {
  if (node.isBlank) {
    fail(
      'id',
      'has no name of its own ([] or _:x), so a second import could not find it again; give it an IRI',
    );
    return undefined;
  }
  if (brick === undefined) {
    fail('rdf:type', `${localName(node.id)} is a point of something, and has no class of Brick`);
    return undefined;
  }
  const name = literal(node, 'label') ?? localName(node.id);
  const why = textFault(name);
  if (why) {
    fail('rdfs:label', why);
    return undefined;
  }
  const equipment = linked(node, 'isPointOf', 'hasPoint', graph);
  const place =
    linked(node, 'hasLocation', 'isLocationOf', graph) ?? (equipment && locationOf(equipment, graph));
  const reference = referenceOf(node, graph);
  const unit = inUnit(unitOf(node));
  const isCommanded = /(Setpoint|Command|Parameter|Limit|Deadband)$/.test(brick);
  return draft({
    key: node.id,
    name,
    site: null,
    equipment: equipment ? (literal(equipment, 'label') ?? localName(equipment.id)) : null,
    location: place ? (literal(place, 'label') ?? localName(place.id)) : null,
    ...reference,
    kind:
      reference.kind ??
      (isState(brick) ? 'state' : isCounted(unit.unit) && !isCommanded ? 'register' : 'gauge'),
    ...unit,
    writable: isCommanded,
    tags: (node.out.get('hasTag') ?? []).map(({ value }) => localName(value)).sort(),
    brick,
  });
}

const isState = (brick: string): boolean =>
  /(Status|Alarm)$/.test(brick) ||
  /(On_Off|Start_Stop|Enable|Disable|Override|Occupancy|Mode|Open_Close)_Command$/.test(brick);

const literal = (node: Node, property: string): string | null => {
  const value = node.out
    .get(property)
    ?.find(({ termType }) => termType === 'Literal')
    ?.value.trim();
  return value ? value : null;
};

/** The node that a property leads to, or its inverse comes from. */
function linked(node: Node, property: string, inverse: string, graph: Graph): Node | undefined {
  const id = node.out.get(property)?.[0]?.value ?? node.in.get(inverse)?.[0];
  return id === undefined ? undefined : graph.nodes.get(id);
}

/** Where a piece of equipment is, or the place that it meters or feeds. */
function locationOf(equipment: Node, graph: Graph): Node | undefined {
  const fed = linked(equipment, 'feeds', 'isFedBy', graph);
  const isPlace = fed !== undefined && /(Zone|Room|Space|Floor|Building)$/.test(classOf(fed, graph) ?? '');
  return (
    linked(equipment, 'hasLocation', 'isLocationOf', graph) ??
    linked(equipment, 'meters', 'isMeteredBy', graph) ??
    (isPlace ? fed : undefined)
  );
}

function unitOf(node: Node): string | null {
  const unit = node.out.get('hasUnit')?.[0] ?? node.out.get('unit')?.[0];
  return unit ? localName(unit.value) : null;
}

/** Address by the point's BACnet reference: an object identifier of a device, or a bacnet: URI. */
function referenceOf(node: Node, graph: Graph): Partial<PointDraft> {
  const references = ['hasExternalReference', 'hasBACnetReference', 'BACnetReference'].flatMap(
    (property) => node.out.get(property) ?? [],
  );
  let note: string | null = null;
  for (const id of [node.id, ...references.map(({ value }) => value)]) {
    const reference = graph.nodes.get(id);
    const found = reference && objectOf(reference, graph);
    if (!found) continue;
    const { type, instance, device } = found;
    const address = bacnet.addressOf(type, instance);
    const kind = bacnet.kindOf(type);
    if (bacnet.isPointType(type)) {
      return { protocol: 'bacnet', device, address, ...(kind !== 'gauge' && { kind }) };
    }
    note = `${address} has no value that could be read`;
  }
  return { note };
}

function objectOf(
  reference: Node,
  graph: Graph,
): { type: number; instance: number; device: number | null } | undefined {
  const uri = reference.out.get('BACnetURI')?.[0]?.value ?? '';
  const [, inUri, object = ''] = /^bacnet:\/\/(\d{1,7})\/([^/]+)/.exec(uri) ?? [];
  const text = object || (reference.out.get('object-identifier')?.[0]?.value ?? '');
  const [, typeText = '', instance = ''] = /^([\w-]+)[,:](\d{1,7})$/.exec(text.replaceAll(' ', '')) ?? [];
  const type = bacnet.objectTypeOf(typeText);
  if (type === undefined || Number(instance) > bacnet.MAX_INSTANCE) return undefined;
  const owner = linked(reference, 'objectOf', 'hasObject', graph);
  const told = owner && deviceOf(owner);
  return { type, instance: Number(instance), device: inUri === undefined ? (told ?? null) : Number(inUri) };
}

function deviceOf(owner: Node): number | undefined {
  const text =
    owner.out.get('device-instance')?.[0]?.value ??
    /^device,(\d+)$/.exec(owner.out.get('object-identifier')?.[0]?.value ?? '')?.[1] ??
    '';
  return /^\d{1,7}$/.test(text) && Number(text) <= bacnet.MAX_INSTANCE ? Number(text) : undefined;
}
