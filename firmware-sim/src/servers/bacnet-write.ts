import { type ErrorPair, errorApdu, errors, find } from './bacnet-answer.ts';
import { createReader, Malformed, tags } from './bacnet-codec.ts';
import { properties, type SimObject } from './bacnet-objects.ts';
import { pdu, type Request } from './bacnet-wire.ts';

/** Lowest priority, in force where a request names none. */
const LAST_PRIORITY = 16;
/** Kept for minimum on and off times, clause 19.2.3. */
const RESERVED_PRIORITY = 6;

/** What a write did. */
export interface WriteAnswer {
  readonly apdu: readonly number[];
  readonly values: Readonly<Record<string, number | null>>;
  readonly outcome: string;
}

/** WriteProperty, clause 15.9. @throws Malformed. */
export function answerWrite(request: Request, objects: readonly SimObject[], t: number): WriteAnswer {
  const reader = createReader(request.data);
  const object = find(objects, reader.object(0));
  const property = reader.unsigned(1);
  const isElement = reader.hasContext(2);
  if (isElement) reader.unsigned(2);
  reader.open(3);
  const value = reader.application();
  reader.close(3);
  const priority = reader.isAtEnd ? LAST_PRIORITY : reader.unsigned(4);
  const refuse = (error: ErrorPair): WriteAnswer => ({
    apdu: errorApdu(request, error),
    values: {},
    outcome: 'refuse',
  });
  if (!object) return refuse(errors.unknownObject);
  if (!object.propertyIds.includes(property)) return refuse(errors.unknownProperty);
  const isOpen = property === properties.presentValue && !isElement && object.row?.access !== 'read';
  if (!isOpen || !object.put || priority === RESERVED_PRIORITY) return refuse(errors.writeAccessDenied);
  if (priority < 1 || priority > LAST_PRIORITY) return refuse(errors.parameterOutOfRange);
  const number = numberOf(object, value);
  if (typeof number === 'object' && number !== null) return refuse(number);
  object.put(priority, number, t);
  return {
    apdu: [pdu.simpleAck << 4, request.invokeId, request.service],
    values: { [object.row!.quantity]: number },
    outcome: 'ok',
  };
}

/** The number as the object takes it: a Real where it is analog, else 0 or 1. */
function numberOf(
  { row }: SimObject,
  { tag, content }: { tag: number; content: Buffer },
): number | null | ErrorPair {
  if (tag === tags.null) return null;
  if (tag !== (row?.analog ? tags.real : tags.enumerated)) return errors.invalidDataType;
  if (row?.analog) {
    if (content.length !== 4) throw new Malformed('a real has 4 octets');
    const value = content.readFloatBE();
    return Number.isFinite(value) ? value : errors.valueOutOfRange;
  }
  const [value = 2] = content;
  return content.length === 1 && value <= 1 ? value : errors.valueOutOfRange;
}
