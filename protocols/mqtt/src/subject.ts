import { below } from './access.ts';
import type { Kept, Message } from './inbox.ts';
import { believable, parsePayload, sourceTime, stepInto, type TimeRule } from './payload.ts';
import type { News, Station } from './station.ts';

/** Who is meant by topics: the border between messages and devices. */
export interface Subject {
  /** Filters that take in everything it tells. */
  readonly filters: readonly string[];
  /** Whether it may tell under this topic. */
  owns(topic: string): boolean;
  /** Whether it may hear what this filter takes in. */
  mayHear(filter: string): boolean;
  /** Whether what it tells under this topic is remembered. */
  hasRoom(topic: string): boolean;
  /** @returns false when it told one thing too many. */
  heard(message: Message, kept?: Kept): boolean;
  /** What the broker kept since who knows when. */
  recall(message: Message): void;
  readonly stations: () => readonly Station[];
}

/** The topic by which a device tells that it is there or leaves, also as its last will. */
export const PRESENCE = 'online';
const LEAVING: readonly unknown[] = [0, false, '0', 'false', 'offline'];

/** A device that tells below `root`, one document for each topic. */
export function createTopicSubject(root: string, station: Station, time: TimeRule): Subject {
  function newsOf({ payload, receivedAt }: Message, name: string): News {
    const document = parsePayload(payload);
    return { name, document, receivedAt, at: sourceTime(document, receivedAt, time) };
  }

  return {
    filters: [`${root}/#`],
    owns: (topic) => below(root, topic) !== undefined,
    mayHear: (filter) => below(root, filter) !== undefined,
    hasRoom: (topic) => station.hasRoom(below(root, topic) ?? ''),
    stations: () => [station],
    heard(message, kept) {
      const name = below(root, message.topic);
      if (name === undefined) return true;
      const news = newsOf(message, name);
      if (name === PRESENCE) station.says(!isLeaving(news));
      return station.heard([news], kept);
    },
    recall(message) {
      const name = below(root, message.topic);
      if (name === undefined) return;
      const news = newsOf(message, name);
      // With a time of its own it is as good as just told.
      const told = news.document.ok ? stepInto(news.document.value, time.path) : undefined;
      const isDated =
        typeof told === 'number' && believable(news.at, message.receivedAt, time.maxLagMs) !== undefined;
      if (name === PRESENCE) station.says(!isLeaving(news));
      else if (isDated && news.at !== message.receivedAt) station.heard([news]);
      else station.recall(news);
    },
  };
}

function isLeaving({ document }: News): boolean {
  const { value } = document.ok ? document : { value: document.text };
  const word = stepInto(value, ['state']) ?? value;
  return LEAVING.includes(typeof word === 'string' ? word.toLowerCase() : word);
}
