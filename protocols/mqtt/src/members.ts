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
  /** Its driver was closed: another may take its place. */
  close(): void;
  /** Its driver is used again. @throws DriverError 'lost' when another has taken its place. */
  reopen(): void;
  isOpen(): boolean;
}

/** Who is who on one connection. */
export interface Members {
  /**
   * @param root Topic of the device where its parameters name none.
   * @param send The way to a Sparkplug node.
   * @throws DriverError 'config' when another device tells there already.
   */
  add(params: DeviceParams, root: string | undefined, send: SparkplugSend): Member;
  /** Those of open devices. */
  subjects(): readonly Subject[];
}

export type SparkplugSend = (topic: string, payload: Uint8Array) => void;
type Made = Pick<Member, 'station' | 'dialect' | 'subject'>;

const config = (message: string): DriverError => new DriverError('config', message, 'mqtt device');

export function createMembers({ now, log }: Pick<DriverDeps, 'now' | 'log'>): Members {
  const members = new Map<string, Member>();
  const nodes = new Map<string, SparkplugNode>();

  function makeTopic(params: DeviceParams, root: string): Made {
    const station = createStation(now);
    const subject = createTopicSubject(root, station, timeRuleOf(params));
    return { station, subject, dialect: createTopicDialect(root, wordsOf(params, usualWords)) };
  }

  function makeSparkplug({ group, node, device }: Sparkplug, maxLagMs: number, send: SparkplugSend): Made {
    const key = `${group}/${node}`;
    const subject = nodes.get(key) ?? createSparkplugNode({ group, node, now, log, send, maxLagMs });
    nodes.set(key, subject);
    const station = createStation(now, MAX_METRICS);
    subject.attach(device, station);
    return { station, subject, dialect: createSparkplugDialect(subject, device, now) };
  }

  function admit(label: string, make: () => Made): Member {
    if (members.get(label)?.isOpen()) throw config(`${label} is there twice`);
    let isOpen = true;
    const member: Member = {
      ...make(),
      label,
      isOpen: () => isOpen,
      close: () => void (isOpen = false),
      reopen() {
        if (members.get(label) !== member)
          throw new DriverError('lost', 'another device has taken its place', label);
        isOpen = true;
      },
    };
    members.set(label, member);
    return member;
  }

  const open = (): Member[] => [...members.values()].filter((member) => member.isOpen());

  return {
    add(params, root, send) {
      const { sparkplug, topic = root, time } = params;
      if (sparkplug) {
        const { group, node, device } = sparkplug;
        const label = ['spBv1.0', group, node, ...(device === undefined ? [] : [device])].join('/');
        return admit(label, () => makeSparkplug(sparkplug, time.maxLagMs, send));
      }
      if (topic === undefined) throw config('topic or sparkplug is needed: where does the device tell?');
      const other = open().find(
        ({ label }) => `${label}/`.startsWith(`${topic}/`) || `${topic}/`.startsWith(`${label}/`),
      );
      if (other && other.label !== topic) throw config(`topic ${topic} overlaps with ${other.label}`);
      return admit(topic, () => makeTopic(params, topic));
    },
    subjects: () => [...new Set(open().map(({ subject }) => subject))],
  };
}

type Sparkplug = NonNullable<DeviceParams['sparkplug']>;
