import type { EquipmentBody, PointBody } from '@parkline/contract';
import { pointFaults, type Template } from '@parkline/templates';
import Type from 'typebox';
import { Value } from 'typebox/value';
import { schemaErrors } from '@parkline/contract';
import { addressSchemas, nameOnBus } from './addresses.ts';
import type { FieldFault } from '../platform/errors.ts';
import type { EquipmentParams } from './tables.ts';

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
  if (!template) return [{ field: 'template', message: `there is no template ${body.template}` }];
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
  const fault = (field: string, message: string) => void faults.push({ field, message });
  if (!buildings.has(buildingId)) fault('buildingId', 'is no building of this account');
  if (!gateways.has(gatewayId)) fault('gatewayId', 'is no gateway of this account');
  if (floorId !== null && floors.get(floorId) !== buildingId) fault('floorId', 'is no floor of the building');
  const space = spaceId === null ? undefined : spaces.get(spaceId);
  if (spaceId !== null && space?.buildingId !== buildingId) fault('spaceId', 'is no space of the building');
  else if (space && floorId !== null && space.floorId !== floorId)
    fault('spaceId', 'is on another floor than the one named');
  serves.forEach((place, i) => {
    if (!floors.has(place) && !spaces.has(place))
      fault(`serves.${i}`, 'is no floor or space of this account');
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
    return [{ field: 'bus', message: `speaks ${spoken}, and the template ${protocol}` }];
  if (!Object.hasOwn(nameOnBus, protocol)) return [];
  const field = nameOnBus[protocol as keyof typeof nameOnBus];
  const same = beside.find((one) => one.params[field] === params[field] && params[field] !== undefined);
  return same
    ? [
        {
          field: `params.${field}`,
          message: `${String(params[field])} is that of ${same.key} on the same bus`,
        },
      ]
    : [];
}

/** The address in the shape of its protocol, with nothing beside it. Pure. */
export function addressFaults(protocol: string, params: EquipmentParams): FieldFault[] {
  if (!Object.hasOwn(addressSchemas, protocol))
    return [{ field: 'template', message: `speaks ${protocol}, for which there is no driver` }];
  const { properties } = addressSchemas[protocol as keyof typeof addressSchemas];
  const schema = Type.Object(properties, { additionalProperties: false });
  if (Value.Check(schema, params)) return [];
  const fields = new Map<string, string>();
  for (const { instancePath, message } of schemaErrors(schema, params))
    fields.set(`params${instancePath.replaceAll('/', '.')}`, message);
  return [...fields].map(([field, message]) => ({ field, message }));
}

function parentFaults(
  { submeterOfId }: EquipmentBody,
  id: string | undefined,
  { others }: Surrounding,
): FieldFault[] {
  if (submeterOfId === null) return [];
  const fault = (message: string): FieldFault[] => [{ field: 'submeterOfId', message }];
  const byId = new Map(others.map((one) => [one.id, one]));
  const parent = byId.get(submeterOfId);
  if (!parent) return fault(submeterOfId === id ? 'is the device itself' : 'is no device of this account');
  if (!parent.kind.endsWith('-meter')) return fault(`${parent.key} is no meter`);
  for (let at: Neighbour | undefined = parent, steps = 0; at && steps <= others.length; steps += 1) {
    if (at.submeterOf === id && id !== undefined) return fault(`${parent.key} itself hangs behind this one`);
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
  const fault = (field: string, message: string) => void faults.push({ field, message });
  if (body.spaceId !== null && spaces.get(body.spaceId)?.buildingId !== buildingId)
    fault('spaceId', 'is no space of the building');
  if (template && source !== null) fault('source', 'is said by the template');
  if (!template && source === null) fault('source', 'is needed: the template has no such point');
  for (const field of ['key', 'unit', 'kind', 'resolution'] as const)
    if (fixed && fixed[field] !== body[field]) fault(field, 'stays: there are readings in it');
  if (template)
    for (const field of ['unit', 'kind', 'resolution', 'decimals'] as const)
      if (template[field] !== body[field]) fault(field, 'is said by the template');
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
  if (write && template && !template.write) fault('write', 'is not foreseen by the template');
  if (write && template?.write) faults.push(...narrowFaults(write, template.write));
  if (body.heartbeatMs < body.pollMs) fault('heartbeatMs', 'is shorter than the time between two polls');
  return faults;
}

type Limits = NonNullable<PointBody['write']>;

/** The maker's limits may be narrowed and never widened. */
function narrowFaults(write: Limits, template: Limits): FieldFault[] {
  const faults: FieldFault[] = [];
  const fault = (field: string, message: string) => void faults.push({ field: `write.${field}`, message });
  if (write.min < template.min) fault('min', `is below ${template.min}, the least that the template allows`);
  if (write.max > template.max) fault('max', `is above ${template.max}, the most that the template allows`);
  if (write.holdS > template.holdS) fault('holdS', `is longer than the ${template.holdS} s of the template`);
  if (write.perMinute > template.perMinute)
    fault('perMinute', `is more than the ${template.perMinute} of the template`);
  if (write.priority < template.priority)
    fault('priority', `is stronger than ${template.priority} of the template`);
  if (template.safety && !write.safety) fault('safety', 'stays: people may be hurt');
  return faults;
}
