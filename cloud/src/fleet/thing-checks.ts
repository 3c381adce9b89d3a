import type { EquipmentBody, PointBody } from '@parkline/contract';
import { pointFaults, type Template } from '@parkline/templates';
import Type from 'typebox';
import { addressSchemas, nameOnBus } from './addresses.ts';
import type { FieldFault } from '../platform/errors.ts';
import { fieldWords } from '../platform/fault-words.ts';
import type { LocalText } from '../platform/i18n.ts';
import { schemaFaults } from '../platform/validation.ts';
import type { EquipmentParams } from './tables.ts';
import { thingWords } from './thing-words.ts';

/** Of another device, as far as it may stand in the way of one. */
export interface Neighbour {
  readonly id: string;
  readonly key: string;
  readonly gatewayId: string;
  readonly bus: string;
  readonly protocol: string;
  readonly params: EquipmentParams;
  readonly submeterOf: string | null;
  readonly kind: string;
}

/** What a device is checked against. */
export interface Surrounding {
  readonly template: Template | undefined;
  readonly buildings: ReadonlySet<string>;
  readonly gateways: ReadonlySet<string>;
  /** Building by floor. */
  readonly floors: ReadonlyMap<string, string>;
  /** Floor and building by space. */
  readonly spaces: ReadonlyMap<string, { readonly floorId: string; readonly buildingId: string }>;
  /** Protocol by gateway and key of a bus that was described: `${gatewayId} ${key}`. */
  readonly buses: ReadonlyMap<string, string>;
  /** Every other device of the account that is not retired. */
  readonly others: readonly Neighbour[];
}

/** Whatever keeps a device from being so, field by field. `id` is its own; undefined: it is yet to be. Pure. */
export function equipmentFaults(
  body: EquipmentBody,
  id: string | undefined,
  around: Surrounding,
): FieldFault[] {
  const { template } = around;
  if (!template) return [{ field: 'template', message: thingWords.noTemplate(body.template) }];
  return [
    ...placeFaults(body, around),
    ...busFaults(body, template.protocol, around),
    ...addressFaults(template.protocol, body.params),
    ...parentFaults(body, id, around),
  ];
}

function placeFaults(
  body: EquipmentBody,
  { buildings, gateways, floors, spaces }: Surrounding,
): FieldFault[] {
  const { buildingId, floorId, spaceId, gatewayId, serves } = body;
  const faults: FieldFault[] = [];
  const fault = (field: string, message: LocalText) => void faults.push({ field, message });
  if (!buildings.has(buildingId)) fault('buildingId', fieldWords.noBuilding);
  if (!gateways.has(gatewayId)) fault('gatewayId', fieldWords.noGateway);
  if (floorId !== null && floors.get(floorId) !== buildingId) fault('floorId', thingWords.noFloor);
  const space = spaceId === null ? undefined : spaces.get(spaceId);
  if (spaceId !== null && space?.buildingId !== buildingId) fault('spaceId', thingWords.noSpace);
  else if (space && floorId !== null && space.floorId !== floorId) fault('spaceId', thingWords.otherFloor);
  serves.forEach((place, i) => {
    if (!floors.has(place) && !spaces.has(place)) fault(`serves.${i}`, thingWords.noPlace);
  });
  return faults;
}

function busFaults(
  { gatewayId, bus, params }: EquipmentBody,
  protocol: string,
  around: Surrounding,
): FieldFault[] {
  const beside = around.others.filter((one) => one.gatewayId === gatewayId && one.bus === bus);
  const spoken = around.buses.get(`${gatewayId} ${bus}`) ?? beside[0]?.protocol;
  if (spoken !== undefined && spoken !== protocol)
    return [{ field: 'bus', message: thingWords.otherProtocol(spoken, protocol) }];
  if (!Object.hasOwn(nameOnBus, protocol)) return [];
  const field = nameOnBus[protocol as keyof typeof nameOnBus];
  const same = beside.find((one) => one.params[field] === params[field] && params[field] !== undefined);
  return same
    ? [{ field: `params.${field}`, message: thingWords.sameAddress(String(params[field]), same.key) }]
    : [];
}

/** The address in the shape of its protocol, with nothing beside it. Pure. */
export function addressFaults(protocol: string, params: EquipmentParams): FieldFault[] {
  if (!Object.hasOwn(addressSchemas, protocol))
    return [{ field: 'template', message: thingWords.noDriver(protocol) }];
  const { properties } = addressSchemas[protocol as keyof typeof addressSchemas];
  return schemaFaults(Type.Object(properties, { additionalProperties: false }), params, 'params');
}

function parentFaults(
  { submeterOfId }: EquipmentBody,
  id: string | undefined,
  { others }: Surrounding,
): FieldFault[] {
  if (submeterOfId === null) return [];
  const fault = (message: LocalText): FieldFault[] => [{ field: 'submeterOfId', message }];
  const byId = new Map(others.map((one) => [one.id, one]));
  const parent = byId.get(submeterOfId);
  if (!parent) return fault(submeterOfId === id ? thingWords.itself : thingWords.noDevice);
  if (!parent.kind.endsWith('-meter')) return fault(thingWords.noMeter(parent.key));
  for (let at: Neighbour | undefined = parent, steps = 0; at && steps <= others.length; steps += 1) {
    if (at.submeterOf === id && id !== undefined) return fault(thingWords.loop(parent.key));
    at = at.submeterOf === null ? undefined : byId.get(at.submeterOf);
  }
  return [];
}

/** What a point is checked against. */
export interface PointSurrounding {
  /** Kind of its equipment: 'gate', 'ahu'. */
  readonly deviceKind: string;
  /** The template's point of that key. */
  readonly template: Template['points'][number] | undefined;
  /** Building by space. */
  readonly spaces: ReadonlyMap<string, { readonly buildingId: string }>;
  /** That of its equipment. */
  readonly buildingId: string;
  /** What the stored readings are in; undefined: there are none yet. */
  readonly fixed: Pick<PointBody, 'key' | 'unit' | 'kind' | 'resolution'> | undefined;
}

/** Whatever keeps a point from being so: the checks of templates, and that what is stored stays readable. Pure. */
export function ownPointFaults(body: PointBody, around: PointSurrounding): FieldFault[] {
  const { template, spaces, buildingId, deviceKind, fixed } = around;
  const { source, states, write, kind, resolution } = body;
  const faults: FieldFault[] = [];
  const fault = (field: string, message: LocalText) => void faults.push({ field, message });
  if (body.spaceId !== null && spaces.get(body.spaceId)?.buildingId !== buildingId)
    fault('spaceId', thingWords.noSpace);
  if (template && source !== null) fault('source', thingWords.ofTemplate);
  if (!template && source === null) fault('source', thingWords.sourceNeeded);
  for (const field of ['key', 'unit', 'kind', 'resolution'] as const)
    if (fixed && fixed[field] !== body[field]) fault(field, thingWords.hasReadings);
  if (template)
    for (const field of ['unit', 'kind', 'resolution', 'decimals'] as const)
      if (template[field] !== body[field]) fault(field, thingWords.ofTemplate);
  const reading = template ?? source ?? { scale: 1, deadband: 0 };
  const { scale, deadband } = reading;
  const readable = {
    ...{ kind, resolution, scale, deadband },
    ...('offset' in reading && reading.offset !== undefined && { offset: reading.offset }),
    ...(states && { states }),
    ...(write && { write }),
  };
  for (const { field, message } of pointFaults(readable, deviceKind))
    fault(
      field === 'offset' || field === 'scale' || field === 'deadband' ? `source.${field}` : field,
      message,
    );
  if (write && template && !template.write) fault('write', thingWords.notWritable);
  if (write && template?.write) faults.push(...narrowFaults(write, template.write));
  if (body.heartbeatMs < body.pollMs) fault('heartbeatMs', thingWords.shortHeartbeat);
  return faults;
}

type Limits = NonNullable<PointBody['write']>;

/** The maker's limits may be narrowed and never widened. */
function narrowFaults(write: Limits, template: Limits): FieldFault[] {
  const faults: FieldFault[] = [];
  const fault = (field: string, message: LocalText) => void faults.push({ field: `write.${field}`, message });
  if (write.min < template.min) fault('min', thingWords.below(template.min));
  if (write.max > template.max) fault('max', thingWords.above(template.max));
  if (write.holdS > template.holdS) fault('holdS', thingWords.longer(template.holdS));
  if (write.perMinute > template.perMinute) fault('perMinute', thingWords.oftener(template.perMinute));
  if (write.priority < template.priority) fault('priority', thingWords.stronger(template.priority));
  if (template.safety && !write.safety) fault('safety', thingWords.safety);
  return faults;
}
