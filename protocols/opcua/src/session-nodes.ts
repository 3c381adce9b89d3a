import { DriverError } from '@parkline/kit';
import type { HistoryReadResult, NodeId, WriteRequest } from 'node-opcua-client';
import { readingOf, statusOf } from './convert.ts';
import type { Encoded } from './encode.ts';
import type { Description, HistoryAsk, HistoryPage } from './link.ts';
import type { SessionDeps } from './session.ts';
import type { Reading, Status } from './value.ts';

/** AttributeIds of OPC 10000-6 annex A. */
export const attribute = { value: 13, dataType: 14, valueRank: 15, may: 17, userMay: 18 } as const;
const described = Object.values(attribute);

/** One attribute of one node. */
export interface Attribute {
  readonly nodeId: string;
  readonly attributeId: number;
}

/** Reads in parts where the server names a limit. Not what the server remembers: what the device says now. */
export async function readAll(
  { library, session, where }: SessionDeps,
  asked: readonly Attribute[],
  most: number,
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (let at = 0; at < asked.length; at += most) {
    const nodes = asked.slice(at, at + most);
    const values = await session.read([...nodes], 0);
    if (values.length !== nodes.length)
      throw new DriverError('garbage', `${values.length} answers to ${nodes.length} questions`, where);
    readings.push(...values.map((value) => readingOf(library, value)));
  }
  return readings;
}

export async function describe(
  deps: SessionDeps,
  nodeIds: readonly string[],
  most: number,
): Promise<Description[]> {
  const asked = nodeIds.flatMap((nodeId) => described.map((attributeId) => ({ nodeId, attributeId })));
  const answers = await readAll(deps, asked, most);
  return Promise.all(
    nodeIds.map(async (nodeId, index) => {
      const at = index * described.length;
      const [reading, dataType, rank, may, userMay] = answers.slice(at, at + described.length);
      return {
        reading: reading!,
        type: await typeOf(deps, nodeId, reading!, dataType!),
        isArray: reading!.isArray || (typeof rank!.value === 'number' && rank!.value >= 0),
        may: bitsOf(may!),
        userMay: bitsOf(userMay!),
      };
    }),
  );
}

/** Built-in types have the numbers 1..25 (OPC 10000-6 clause 5.1.2); of others the server knows from which they come. */
async function typeOf(
  { library, session }: SessionDeps,
  nodeId: string,
  reading: Reading,
  dataType: Reading,
): Promise<string | undefined> {
  if (reading.type !== 'Null') return reading.type;
  const id = dataType.value as NodeId | null | undefined;
  if (!id) return undefined;
  if (id.namespace === 0 && typeof id.value === 'number' && id.value >= 1 && id.value <= 25)
    return library.DataType[id.value];
  // Of a type that the server does not explain nothing is known, and nothing is written.
  return session.getBuiltInDataType(library.resolveNodeId(nodeId)).then(
    (type) => library.DataType[type],
    () => undefined,
  );
}

const bitsOf = ({ value }: Reading): number | undefined => (typeof value === 'number' ? value : undefined);

/** The session below its queue: what is asked while the link is broken is held there and sent when it is mended. */
interface Inner {
  _performMessageTransaction(
    request: WriteRequest,
    done: (error: Error | null, response?: { readonly results?: readonly ServerStatus[] | null }) => void,
  ): void;
}
type ServerStatus = Parameters<typeof statusOf>[0];

/** A value that came late would be worse than none: it is sent once, at once or not at all. */
export function writeOnce(
  { library, session, params }: SessionDeps,
  nodeId: string,
  { type, value }: Encoded,
): Promise<Status> {
  const arrayType = library.VariantArrayType.Scalar; // Two words of a 64-bit number are no array.
  const request = new library.WriteRequest({
    requestHeader: { timeoutHint: params.timeoutMs },
    nodesToWrite: [
      {
        nodeId: library.resolveNodeId(nodeId),
        attributeId: attribute.value,
        value: { value: { dataType: library.DataType[type as keyof Library['DataType']], arrayType, value } },
      },
    ],
  });
  const { promise, resolve, reject } = Promise.withResolvers<Status>();
  (session as unknown as Inner)._performMessageTransaction(request, (error, response) => {
    const status = response?.results?.[0];
    if (status) resolve(statusOf(status));
    else reject(error ?? new Error('the server says nothing to a write'));
  });
  return promise;
}

/** ReadRaw of OPC 10000-11 clause 6.5.3. */
export async function historyPage(
  { library, session }: SessionDeps,
  { nodeId, from, to, most, after }: HistoryAsk,
): Promise<HistoryPage> {
  const node = { nodeId, ...(after && { continuationPoint: after }) };
  const options = {
    numValuesPerNode: most,
    returnBounds: false,
    timestampsToReturn: library.TimestampsToReturn.Both,
  };
  const result = await session.readHistoryValue(node, new Date(from), new Date(to), options);
  return {
    status: statusOf(result.statusCode),
    readings: valuesOf(result).map((value) => ({
      ...readingOf(library, value),
      sourceAt: (value.sourceTimestamp ?? value.serverTimestamp)?.getTime(),
    })),
    after: result.continuationPoint?.length > 0 ? result.continuationPoint : undefined,
  };
}

function valuesOf({ historyData }: HistoryReadResult) {
  const { dataValues } = (historyData ?? {}) as Partial<InstanceType<Library['HistoryData']>>;
  return dataValues ?? [];
}

export async function forgetHistory({ library, session }: SessionDeps, ask: HistoryAsk): Promise<void> {
  const { nodeId, from, to, after } = ask;
  await session.historyRead(
    new library.HistoryReadRequest({
      historyReadDetails: new library.ReadRawModifiedDetails({
        startTime: new Date(from),
        endTime: new Date(to),
      }),
      releaseContinuationPoints: true,
      nodesToRead: [{ nodeId: library.resolveNodeId(nodeId), continuationPoint: after! }],
    }),
  );
}

type Library = SessionDeps['library'];
