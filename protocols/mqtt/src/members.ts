import { type DriverDeps, DriverError } from '@parkline/kit';
import { createSparkplugDialect, createTopicDialect, type Dialect } from './dialect.ts';
import { type DeviceParams, timeRuleOf, wordsOf } from './params.ts';
import { usualWords } from './payload.ts';
import { createSparkplugNode, MAX_METRICS, type SparkplugNode } from './sparkplug.ts';
import { createStation, type Station } from './station.ts';
import { createTopicSubject, type Subject } from './subject.ts';

/** A configured device of a connection. */
export interface Member {
  readonly station: Station;
  readonly dialect: Dialect;
  readonly subject: Subject;
  /** What it is called in errors. */
  readonly label: string;
}

/** Who is who on one connection. */
export interface Members {
  /**
   * @param root Topic of the device where its parameters name none.
   * @param send The way to a Sparkplug node.
   * @throws DriverError 'config' when another device tells there already.
   */
  add(params: DeviceParams, root: string | undefined, send: SparkplugSend): Member;
  subjects(): readonly Subject[];
}

export type SparkplugSend = (topic: string, payload: Uint8Array) => void;

export function createMembers({ now, log }: Pick<DriverDeps, 'now' | 'log'>): Members {
  const roots = new Set<string>();
  const nodes = new Map<string, SparkplugNode>();
  const names = new Set<string>();
  const subjects: Subject[] = [];
  const config = (message: string): DriverError => new DriverError('config', message, 'mqtt device');

  function addTopic(params: DeviceParams, root: string): Member {
    const other = [...roots].find(
      (one) => `${one}/`.startsWith(`${root}/`) || `${root}/`.startsWith(`${one}/`),
    );
    if (other !== undefined) throw config(`topic ${root} overlaps with ${other} of another device`);
    roots.add(root);
    const station = createStation(now);
    const subject = createTopicSubject(root, station, timeRuleOf(params));
    subjects.push(subject);
    const dialect = createTopicDialect(root, wordsOf(params, usualWords));
    return { station, subject, dialect, label: params.username ?? root };
  }

  function addSparkplug(
    { sparkplug, time }: DeviceParams & Required<Pick<DeviceParams, 'sparkplug'>>,
    send: SparkplugSend,
  ): Member {
    const { group, node: nodeName, device } = sparkplug;
    const label = [group, nodeName, ...(device === undefined ? [] : [device])].join('/');
    if (names.has(label)) throw config(`Sparkplug device ${label} is there twice`);
    names.add(label);
    const key = `${group}/${nodeName}`;
    const known = nodes.get(key);
    const made =
      known ?? createSparkplugNode({ group, node: nodeName, now, log, send, maxLagMs: time.maxLagMs });
    nodes.set(key, made);
    if (!known) subjects.push(made);
    const station = createStation(now, MAX_METRICS);
    made.attach(device, station);
    return { station, subject: made, dialect: createSparkplugDialect(made, device, now), label };
  }

  return {
    add(params, root, send) {
      const { sparkplug } = params;
      if (sparkplug) return addSparkplug({ ...params, sparkplug }, send);
      const place = params.topic ?? root;
      if (place === undefined) throw config('topic or sparkplug is needed: where does the device tell?');
      return addTopic(params, place);
    },
    subjects: () => subjects,
  };
}
