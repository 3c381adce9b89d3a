import {
  closing,
  context,
  createReader,
  enumerated,
  opening,
  type Reader,
  unsigned,
  unsignedOctets,
  objectOctets,
} from './bacnet-codec.ts';
import { DEVICE, properties, type SimObject } from './bacnet-objects.ts';
import { pdu, type Request, service } from './bacnet-wire.ts';

/** What a request got. */
export interface Answer {
  readonly apdu: readonly number[];
  /** By quantity, of the present values that are in it. */
  readonly values: Readonly<Record<string, number | null>>;
  /** 'ok', or what was done in its place. */
  readonly outcome: string;
}

export interface AnswerDeps {
  readonly objects: readonly SimObject[];
  /** Unix ms of the values. */
  readonly t: number;
  /** Whether a quantity is refused. @throws Silenced. */
  isRefused(quantity: string): boolean;
}

/** Error class and code, clause 18. */
export const errors = {
  operationalProblem: [0, 25],
  unknownObject: [1, 31],
  readAccessDenied: [2, 27],
  unknownProperty: [2, 32],
  invalidArrayIndex: [2, 42],
  notAnArray: [2, 50],
  invalidDataType: [2, 9],
  valueOutOfRange: [2, 37],
  writeAccessDenied: [2, 40],
  parameterOutOfRange: [5, 80],
  listElementNotFound: [5, 81],
  covRefused: [5, 43],
} as const;
export type ErrorPair = readonly [errorClass: number, code: number];

export const rejectReasons = { invalidTag: 4, unrecognizedService: 9 } as const;
export const abortReasons = { bufferOverflow: 1, segmentationNotSupported: 4 } as const;

export const errorApdu = ({ invokeId, service }: Request, [kind, code]: ErrorPair): number[] => [
  ...[pdu.error << 4, invokeId, service],
  ...enumerated(kind),
  ...enumerated(code),
];
export const rejectApdu = ({ invokeId }: Request, reason: number): number[] => [
  pdu.reject << 4,
  invokeId,
  reason,
];
/** As the server of the transaction. */
export const abortApdu = ({ invokeId }: Request, reason: number): number[] => [
  (pdu.abort << 4) | 1,
  invokeId,
  reason,
];

/** The device keeps silent. */
export class Silenced extends Error {
  constructor() {
    super('silence');
    this.name = 'Silenced';
  }
}

const arrays: readonly number[] = [properties.objectList, properties.priorityArray];

type Read =
  | { readonly ok: true; readonly octets: readonly number[] }
  | { readonly ok: false; readonly error: ErrorPair };
const refuse = (error: ErrorPair): Read => ({ ok: false, error });

/** ReadProperty and ReadPropertyMultiple. @throws Malformed for a request that cannot be read, Silenced. */
export function answerRead(request: Request, deps: AnswerDeps): Answer {
  const values: Record<string, number | null> = {};
  const reader = createReader(request.data);
  const ack = [pdu.complexAck << 4, request.invokeId, request.service];
  if (request.service === service.readPropertyMultiple) {
    while (!reader.isAtEnd) ack.push(...readMany(reader, deps, values));
    return { apdu: ack, values, outcome: 'ok' };
  }
  const asked = reader.object(0);
  const id = reader.unsigned(1);
  const index = reader.isAtEnd ? undefined : reader.unsigned(2);
  const object = find(deps.objects, asked);
  const read = readOne(object, id, index, deps, values);
  if (!read.ok) return { apdu: errorApdu(request, read.error), values, outcome: 'refuse' };
  const { type, instance } = object ?? asked;
  ack.push(...context(0, objectOctets(type, instance)), ...reference(1, id, index));
  ack.push(opening(3), ...read.octets, closing(3));
  return { apdu: ack, values, outcome: 'ok' };
}

/** One object with its list of properties, clause 15.7. */
function readMany(reader: Reader, deps: AnswerDeps, values: Record<string, number | null>): number[] {
  const asked = reader.object(0);
  const object = find(deps.objects, asked);
  const { type, instance } = object ?? asked;
  const octets = [...context(0, objectOctets(type, instance)), opening(1)];
  reader.open(1);
  while (!reader.hasClosing(1)) {
    const id = reader.unsigned(0);
    const index = reader.hasContext(1) ? reader.unsigned(1) : undefined;
    for (const each of expand(object, id)) {
      const read = readOne(object, each, index, deps, values);
      octets.push(...reference(2, each, index));
      if (read.ok) octets.push(opening(4), ...read.octets, closing(4));
      else octets.push(opening(5), ...read.error.flatMap((code) => enumerated(code)), closing(5));
    }
  }
  reader.close(1);
  octets.push(closing(1));
  return octets;
}

const reference = (tag: number, id: number, index: number | undefined): number[] => [
  ...context(tag, unsignedOctets(id)),
  ...(index === undefined ? [] : context(tag + 1, unsignedOctets(index))),
];

/** The special properties ALL, REQUIRED and OPTIONAL stand for those that there are. */
function expand(object: SimObject | undefined, id: number): readonly number[] {
  const isAll = id === properties.all || id === properties.required;
  if (isAll && object) return object.propertyIds;
  return id === properties.optional && object ? [] : [id];
}

/** Instance 4194303 of the device object stands for the device itself, clause 12.11. */
export function find(
  objects: readonly SimObject[],
  asked: { type: number; instance: number },
): SimObject | undefined {
  if (asked.type === DEVICE && asked.instance === 0x3f_ffff) return objects[0];
  return objects.find(({ type, instance }) => type === asked.type && instance === asked.instance);
}

function readOne(
  object: SimObject | undefined,
  id: number,
  index: number | undefined,
  { t, isRefused }: AnswerDeps,
  values: Record<string, number | null>,
): Read {
  const elements = object?.property(id, t);
  if (!object) return refuse(errors.unknownObject);
  if (!elements) return refuse(errors.unknownProperty);
  const quantity = object.row?.quantity;
  if (quantity !== undefined && isRefused(quantity)) return refuse(errors.readAccessDenied);
  if (quantity !== undefined && id === properties.presentValue) values[quantity] = object.show!(t).value;
  if (index === undefined) return { ok: true, octets: elements.flat() };
  if (!arrays.includes(id)) return refuse(errors.notAnArray);
  const element = index === 0 ? unsigned(elements.length) : elements[index - 1];
  return element ? { ok: true, octets: element } : refuse(errors.invalidArrayIndex);
}
