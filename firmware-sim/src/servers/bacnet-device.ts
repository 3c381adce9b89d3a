import { once } from 'node:events';
import { createSocket, type Socket } from 'node:dgram';
import type { DeviceEntry } from '../request-log.ts';
import { type BacnetTable, idOf } from '../tables/bacnet-table.ts';
import {
  type Answer,
  abortApdu,
  abortReasons,
  answerRead,
  errorApdu,
  errors,
  rejectApdu,
  rejectReasons,
  Silenced,
} from './bacnet-answer.ts';
import { createReader, enumerated, Malformed, objectId, unsigned } from './bacnet-codec.ts';
import { createConfirmedSender } from './bacnet-confirmed.ts';
import { createCovServer } from './bacnet-cov.ts';
import { createEventServer } from './bacnet-events.ts';
import { createObjects, DEVICE, segmentationOf, type Shown, type SimObject } from './bacnet-objects.ts';
import { createSegmentSender } from './bacnet-segments.ts';
import { answerRange } from './bacnet-trend.ts';
import { parseRequest, pdu, type Peer, type Request, service, unwrap, wrap } from './bacnet-wire.ts';
import { answerWrite } from './bacnet-write.ts';
import type { BusServerDeps, ServedDevice } from './bus-server.ts';

/** How often a device looks whether a value has moved enough to tell. */
const COV_MS = 200;

/** A controller on a socket of its own. */
export interface BacnetDevice {
  readonly instance: number;
  listen(host: string): Promise<void>;
  close(): Promise<void>;
  /** Answers a Who-Is from its own socket when it is meant. @param data Service data of the Who-Is. */
  whoIs(peer: Peer, data: Buffer): void;
  /** The same as a broadcast of its own, for a BBMD to carry. */
  iAmTo(data: Buffer): { readonly apdu: readonly number[]; readonly from: Peer } | undefined;
}

/** @throws Error for an address that is no device instance, or a quantity that its model does not have. */
export function createBacnetDevice(
  device: ServedDevice<BacnetTable>,
  deps: BusServerDeps<BacnetTable>,
): BacnetDevice {
  const { key, table } = device;
  const { bus, faults, log, now } = deps;
  const instance = instanceOf(device);
  const states = new Map<string, number>();
  const objects = createObjects(device, instance, { states, recipients: () => events.list() });
  let socket: Socket | undefined;
  let timer: NodeJS.Timeout | undefined;

  const tell = (peer: Peer, apdu: readonly number[], isExpectingReply = false): void =>
    socket?.send(wrap(apdu, isExpectingReply), peer.port, peer.address);
  const segments = createSegmentSender(tell);
  const write = (op: DeviceEntry['op'], t: number, values: DeviceEntry['values'], outcome: string): void =>
    log.write({ t, bus, device: key, op, values, outcome });
  const confirmed = createConfirmedSender();
  const cov = createCovServer({ device: instance, objects, confirmed, tell: notify });
  const events = createEventServer({
    ...{ device: instance, states, confirmed, recipients: table.recipients },
    aheadMs: table.utcOffsetMin * 60_000,
    watched: table.alarms.map((alarm) => ({
      ...alarm,
      object: objects.find(({ row }) => row && idOf(row) === alarm.of)!,
    })),
    tell: (peer, apdu) => {
      if (faults.strike({ bus, device: key })?.kind !== 'silence')
        tell(peer, apdu, apdu[0] === pdu.confirmed << 4);
    },
  });

  function notify(peer: Peer, apdu: readonly number[], object: SimObject, shown: Shown): void {
    const quantity = object.row?.quantity;
    const fault = faults.strike({ bus, device: key, ...(quantity === undefined ? {} : { quantity }) });
    const isSilent = fault?.kind === 'silence';
    if (quantity !== undefined)
      write('notify', now(), { [quantity]: shown.value }, isSilent ? 'silence' : 'ok');
    if (!isSilent) tell(peer, apdu, apdu[0] === pdu.confirmed << 4);
  }

  /** What has changed, and again what nobody acknowledged. */
  function tick(t: number): void {
    cov.tick(t);
    events.tick(t);
    for (const { peer, apdu } of confirmed.due(t))
      if (faults.strike({ bus, device: key })?.kind !== 'silence') tell(peer, apdu, true);
  }

  function answer(request: Request, peer: Peer, t: number, isRefused: (quantity: string) => boolean): Answer {
    const plain = (apdu: readonly number[], outcome: string): Answer => ({ apdu, values: {}, outcome });
    if (request.isSegmented) return plain(abortApdu(request, abortReasons.segmentationNotSupported), 'abort');
    const isMultiple = request.service === service.readPropertyMultiple && table.multiple;
    if (isMultiple || request.service === service.readProperty)
      return answerRead(request, { objects, t, isRefused });
    if (request.service === service.writeProperty) return answerWrite(request, objects, t);
    if (request.service === service.readRange && table.trends.length > 0)
      return plain(answerRange(request, objects, t, Math.min(request.maxApdu, table.maxApdu)), 'ok');
    if (table.alarms.length > 0) {
      if (request.service === service.getEventInformation)
        return plain(events.information(request, Math.min(request.maxApdu, table.maxApdu)), 'ok');
      if (request.service === service.addListElement || request.service === service.removeListElement)
        return plain(events.changeList(request), 'ok');
    }
    if (request.service !== service.subscribeCov || !table.cov)
      return plain(rejectApdu(request, rejectReasons.unrecognizedService), 'reject');
    if (!cov.subscribe(peer, request.data, t)) return plain(errorApdu(request, errors.covRefused), 'refuse');
    return plain([pdu.simpleAck << 4, request.invokeId, request.service], 'ok');
  }

  /** The answer as the faults in force leave it. @throws Silenced. */
  function judged(request: Request, peer: Peer, t: number): { answer: Answer; delayMs: number } {
    let delayMs = 0;
    const isRefused = (quantity?: string): boolean => {
      const fault = faults.strike({ bus, device: key, ...(quantity === undefined ? {} : { quantity }) });
      if (fault?.kind === 'silence') throw new Silenced();
      if (fault?.kind === 'delay') delayMs = Math.max(delayMs, fault.ms);
      return fault?.kind === 'refuse';
    };
    try {
      const given = isRefused()
        ? { apdu: errorApdu(request, errors.operationalProblem), values: {}, outcome: 'refuse' }
        : answer(request, peer, t, isRefused);
      return { answer: given, delayMs };
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      return {
        answer: { apdu: rejectApdu(request, rejectReasons.invalidTag), values: {}, outcome: 'reject' },
        delayMs,
      };
    }
  }

  function serve(request: Request, peer: Peer): void {
    const t = now();
    const op = opOf(request.service);
    try {
      const { answer: given, delayMs } = judged(request, peer, t);
      if (op) write(op, t, given.values, delayMs > 0 ? 'delay' : given.outcome);
      const send = (): void => reply(request, peer, given.apdu);
      if (delayMs > 0) setTimeout(send, delayMs);
      else send();
      if (op !== 'read') cov.tick(t); // The first notification follows the acknowledgement, clause 13.14.2.
    } catch (error) {
      if (!(error instanceof Silenced)) throw error;
      if (op) write(op, t, {}, 'silence');
    }
  }

  function reply(request: Request, peer: Peer, apdu: readonly number[]): void {
    const maxApdu = Math.min(request.maxApdu, table.maxApdu);
    if (apdu.length > (table.buffer ?? Infinity))
      return tell(peer, abortApdu(request, abortReasons.bufferOverflow));
    if (apdu.length <= maxApdu) tell(peer, apdu);
    else if (request.acceptsSegments && table.segmentation === 'both') segments.send(peer, apdu, maxApdu);
    else tell(peer, abortApdu(request, abortReasons.segmentationNotSupported));
  }

  function receive(datagram: Buffer, peer: Peer): void {
    const apdu = unwrap(datagram);
    const type = (apdu?.[0] ?? 0xff) >> 4;
    if (!apdu) return;
    if (type === pdu.confirmed) {
      const request = parseRequest(apdu);
      if (request) serve(request, peer);
    } else if (type === pdu.unconfirmed && apdu[1] === service.whoIs) whoIs(peer, apdu.subarray(2));
    else if (type === pdu.segmentAck) segments.acknowledge(peer, apdu);
    else if (type === pdu.simpleAck || type === pdu.error || type === pdu.reject)
      confirmed.acknowledge(peer, apdu[1] ?? -1);
  }

  const iAm = (): readonly number[] => [
    ...[pdu.unconfirmed << 4, service.iAm],
    ...objectId(DEVICE, instance),
    ...unsigned(table.maxApdu),
    ...enumerated(segmentationOf(table)),
    ...unsigned(0),
  ];
  function whoIs(peer: Peer, data: Buffer): void {
    if (isMeant(data, instance)) tell(peer, iAm());
  }

  return {
    instance,
    whoIs,
    iAmTo: (data) =>
      isMeant(data, instance) && socket ? { apdu: iAm(), from: socket.address() } : undefined,
    async listen(host) {
      const made = createSocket('udp4');
      made.bind(0, host);
      await once(made, 'listening');
      made.on('error', () => undefined); // A peer that is gone is no news to a device.
      made.on('message', receive);
      socket = made;
      timer = setInterval(() => tick(now()), COV_MS);
    },
    close() {
      clearInterval(timer);
      segments.clear();
      cov.clear();
      confirmed.clear();
      const closing = socket;
      socket = undefined;
      return new Promise((resolve) => {
        if (closing) closing.close(resolve);
        else resolve();
      });
    },
  };
}

/** What the request log calls it; subscriptions and alarms are no reading of values. */
function opOf(asked: number): 'read' | 'write' | undefined {
  if (asked === service.writeProperty) return 'write';
  const silent: readonly number[] = [
    ...[service.subscribeCov, service.getEventInformation],
    ...[service.addListElement, service.removeListElement],
  ];
  return silent.includes(asked) ? undefined : 'read';
}

/** A Who-Is without limits is meant for all, clause 16.10. */
function isMeant(data: Buffer, instance: number): boolean {
  if (data.length === 0) return true;
  try {
    const reader = createReader(data);
    return reader.unsigned(0) <= instance && instance <= reader.unsigned(1);
  } catch (error) {
    if (error instanceof Malformed) return false;
    throw error;
  }
}

function instanceOf({ key, address }: ServedDevice<BacnetTable>): number {
  const instance =
    typeof address === 'object' && address !== null && 'device' in address ? address.device : undefined;
  if (typeof instance === 'number' && Number.isInteger(instance) && instance >= 0 && instance < 0x3f_ffff)
    return instance;
  throw new Error(
    `${key}: address.device is not a device instance 0..4194302 but ${JSON.stringify(address)}`,
  );
}
