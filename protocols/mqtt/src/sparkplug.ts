import type { DriverLog } from '@parkline/kit';
import { isMatch } from './access.ts';
import type { Kept, Message } from './inbox.ts';
import { believable } from './payload.ts';
import {
  datatypes,
  decodePayload,
  encodePayload,
  type Metric,
  numberOf,
  SparkplugError,
  type SparkplugPayload,
} from './sparkplug-codec.ts';
import type { News, Station } from './station.ts';
import type { Subject } from './subject.ts';

const NAMESPACE = 'spBv1.0';
/** A node is asked for a rebirth this often at most, ms. */
const REBIRTH_MS = 10_000;
/** Metrics remembered of a device. */
export const MAX_METRICS = 5_000;

export interface SparkplugDeps {
  readonly group: string;
  readonly node: string;
  readonly now: () => number;
  /** A metric's time this far before its arrival is not believed, ms. */
  readonly maxLagMs: number;
  readonly log: DriverLog;
  /** Sends a command to the node, if it is there. */
  readonly send: (topic: string, payload: Uint8Array) => void;
}

/** What a metric was called and typed at its birth. */
export interface Born {
  readonly name: string;
  readonly alias?: bigint;
  readonly datatype?: number;
}

/** One edge node with its devices (Sparkplug 3.0.0, clause 6). The node itself is the device without a name. */
export interface SparkplugNode extends Subject {
  attach(device: string | undefined, station: Station): void;
  /** Undefined before its birth. */
  metric(device: string | undefined, name: string): Born | undefined;
  commandTopic(device: string | undefined): string;
}

interface Member {
  readonly station: Station;
  readonly byName: Map<string, Born>;
}

/** Topic `spBv1.0/<group>/<type>/<node>[/<device>]`. */
interface Place {
  readonly type: string;
  readonly device: string | undefined;
}

export function createSparkplugNode(deps: SparkplugDeps): SparkplugNode {
  const { group, node, now, maxLagMs, log, send } = deps;
  const members = new Map<string | undefined, Member>();
  const byAlias = new Map<bigint, { readonly member: Member | undefined; readonly born: Born }>();
  let expectedSeq: number | undefined;
  let birthNumber: bigint | undefined;
  let askedAt = -Infinity;

  function placeOf(topic: string): Place | undefined {
    const [space, inGroup, type = '', ofNode, device, ...rest] = topic.split('/');
    const isOurs = space === NAMESPACE && inGroup === group && ofNode === node && rest.length === 0;
    return isOurs ? { type, device } : undefined;
  }

  function rebirth(why: string): void {
    const goneMs = now() - askedAt;
    if (goneMs >= 0 && goneMs < REBIRTH_MS) return;
    askedAt = now();
    log.info({ group, node, why }, 'sparkplug node is asked for its birth');
    const command = {
      name: 'Node Control/Rebirth',
      timestamp: now(),
      datatype: datatypes.boolean,
      value: true,
    };
    send(`${NAMESPACE}/${group}/NCMD/${node}`, encodePayload({ timestamp: now(), metrics: [command] }));
  }

  /** One number counts all messages of a node and its devices (clause 6.4.7). */
  function follow(type: string, seq: number): void {
    const isNext = type === 'NBIRTH' || seq === expectedSeq;
    if (!isNext)
      rebirth(expectedSeq === undefined ? 'data before birth' : `message ${seq} instead of ${expectedSeq}`);
    expectedSeq = (seq + 1) % 256; // Asked once for each gap, not for each message after it.
  }

  function bear(type: string, device: string | undefined, metrics: readonly Metric[]): void {
    const member = members.get(device);
    if (type === 'NBIRTH') {
      byAlias.clear();
      for (const { byName } of members.values()) byName.clear();
      birthNumber = metrics.find(({ name }) => name === 'bdSeq')?.value as bigint | undefined;
    }
    for (const { name, alias, datatype } of metrics) {
      if (name === undefined) continue;
      const born: Born = {
        name,
        ...(alias !== undefined && { alias }),
        ...(datatype !== undefined && { datatype }),
      };
      if (alias !== undefined) byAlias.set(alias, { member, born });
      if (member && member.byName.size < MAX_METRICS) member.byName.set(name, born);
    }
    member?.station.says(true);
  }

  function die(type: string, device: string | undefined, metrics: readonly Metric[]): void {
    const number = metrics.find(({ name }) => name === 'bdSeq')?.value;
    // The last will of a connection that another one has replaced.
    if (type === 'NDEATH' && birthNumber !== undefined && number !== undefined && number !== birthNumber)
      return;
    if (type === 'NDEATH') expectedSeq = undefined;
    for (const [name, { station }] of members) if (type === 'NDEATH' || name === device) station.says(false);
  }

  function newsOf(
    member: Member,
    metric: Metric,
    payload: SparkplugPayload,
    receivedAt: number,
  ): News | undefined {
    const aliased = metric.alias === undefined ? undefined : byAlias.get(metric.alias);
    const name = metric.name ?? (aliased?.member === member ? aliased.born.name : undefined);
    const born = name === undefined ? undefined : member.byName.get(name);
    if (name === undefined || !born) {
      rebirth(
        name === undefined ? `alias ${metric.alias ?? '?'} is unknown` : `metric ${name} was never born`,
      );
      if (name === undefined) return undefined;
    }
    const datatype = metric.datatype ?? born?.datatype;
    const number = numberOf(metric, datatype);
    const value = metric.isNull ? null : (number ?? metric.value ?? {});
    const told = metric.timestamp ?? payload.timestamp;
    const lagMs = metric.isHistorical ? Infinity : maxLagMs;
    return {
      ...{ name, receivedAt, at: believable(told, receivedAt, lagMs) ?? receivedAt },
      document: { ok: true, value },
    };
  }

  /** Every value of the device is bad until it tells a whole one. */
  function garbled(member: Member | undefined, why: string, receivedAt: number, kept?: Kept): boolean {
    log.debug({ group, node, why }, 'sparkplug payload is broken');
    if (!member) {
      kept?.passed();
      return true;
    }
    const document = { ok: false, why: `payload is not Sparkplug B: ${why}` } as const;
    return member.station.heard(
      member.station.names().map((name) => ({ name, document, receivedAt, at: receivedAt })),
      kept,
    );
  }

  function heard({ topic, payload: bytes, receivedAt }: Message, kept?: Kept): boolean {
    const place = placeOf(topic);
    const member = members.get(place?.device);
    if (!place || !/^[ND](BIRTH|DATA|DEATH)$/.test(place.type)) {
      kept?.passed();
      return true;
    }
    let payload: SparkplugPayload;
    try {
      payload = decodePayload(bytes);
    } catch (error) {
      if (error instanceof SparkplugError) return garbled(member, error.message, receivedAt, kept);
      throw error;
    }
    const { type, device } = place;
    if (type !== 'NDEATH') follow(type, payload.seq ?? 0); // Some encoders leave out what is zero.
    if (type.endsWith('BIRTH')) bear(type, device, payload.metrics);
    if (type.endsWith('DEATH')) die(type, device, payload.metrics);
    if (!member || type.endsWith('DEATH')) {
      kept?.passed();
      return true;
    }
    const news = payload.metrics.flatMap((metric) => newsOf(member, metric, payload, receivedAt) ?? []);
    return member.station.heard(news, kept);
  }

  return {
    filters: [`${NAMESPACE}/${group}/+/${node}`, `${NAMESPACE}/${group}/+/${node}/+`],
    owns: (topic) => placeOf(topic) !== undefined,
    // Its commands, and those of its devices.
    mayHear: (filter) =>
      ['NCMD', 'DCMD'].some((type) => filter === `${NAMESPACE}/${group}/${type}/${node}`) ||
      isMatch(`${NAMESPACE}/${group}/DCMD/${node}/+`, filter) ||
      [`${NAMESPACE}/${group}/NCMD/${node}/#`, `${NAMESPACE}/${group}/DCMD/${node}/#`].includes(filter),
    hasRoom: () => true,
    heard,
    recall: (message) => void heard(message),
    stations: () => [...members.values()].map(({ station }) => station),
    attach(device, station) {
      members.set(device, { station, byName: new Map() });
    },
    metric: (device, name) => members.get(device)?.byName.get(name),
    commandTopic: (device) =>
      device === undefined
        ? `${NAMESPACE}/${group}/NCMD/${node}`
        : `${NAMESPACE}/${group}/DCMD/${node}/${device}`,
  };
}
