import { join } from 'node:path';
import { type Connection, type DriverDeps, DriverError, type FoundDevice } from '@parkline/kit';
import { createMqttDriver } from './driver.ts';
import { following } from './following.ts';
import { createInbox, type Inbox, type Message } from './inbox.ts';
import { createMembers } from './members.ts';
import { createOutside } from './outside.ts';
import { type ClientParams, parseDeviceParams } from './params.ts';
import { createStore } from './store.ts';
import { openStoreFile } from './store-file.ts';
import type { Subject } from './subject.ts';
import type { Outlet } from './writing.ts';

/** Places listed of one search. */
const MAX_FOUND = 1_000;
const unanswered = new Promise<void>(() => undefined);

/** A connection to somebody else's broker. */
export function openClient(params: ClientParams, deps: DriverDeps): Connection {
  const { now, log, dataDir } = deps;
  const { url, timeoutMs } = params;
  const members = createMembers(deps);
  let closeStore = (): void => undefined;
  let inbox: Inbox | undefined;
  const needInbox = (): Inbox => (inbox ??= openInbox());

  function openInbox(): Inbox {
    const store = createStore(openStoreFile(join(dataDir, 'mqtt.sqlite'), log, now));
    const made = createInbox(store, now, log);
    closeStore = () => {
      made.close();
      store.close();
      inbox = undefined;
    };
    for (const { message, kept } of made.left()) {
      const subject = members.subjects().find((one) => one.owns(message.topic));
      if (subject) subject.heard(message, kept);
      else kept.passed();
    }
    return made;
  }

  const outside = createOutside({
    ...{ params, now, log },
    subjects: members.subjects,
    inbox: { keep: (...given) => needInbox().keep(...given) },
  });
  let openedAt: Promise<number> | undefined;

  async function connect(): Promise<number> {
    const beganAt = now(); // Devices come with the connection, not after it.
    needInbox();
    await outside.open();
    return beganAt;
  }

  async function open(): Promise<number> {
    openedAt ??= connect();
    try {
      const at = await openedAt;
      await outside.open();
      return at;
    } catch (error) {
      openedAt = undefined;
      throw error;
    }
  }

  const outlet: Outlet = {
    async send(topic, payload) {
      await outside.send(topic, payload);
      return { acknowledged: unanswered };
    },
  };

  return {
    device(deviceParams) {
      const parsed = parseDeviceParams(deviceParams);
      if (parsed.passwordSha256 !== undefined)
        throw new DriverError('config', 'passwordSha256 belongs to the gateway’s own broker', url);
      const member = members.add(parsed, undefined, (topic, payload) => {
        outside.send(topic, payload).catch((err: unknown) => {
          log.debug({ topic, err }, 'mqtt command not sent');
        });
      });
      // Joined anew at the next look: a Sparkplug node may have another member now.
      const leave = (): void => {
        outside.leave(member.subject);
      };
      leave();
      const { maxAgeMs, confirmMs } = parsed;
      return createMqttDriver({
        ...{ member, outlet, open, onClose: leave, timeoutMs, maxAgeMs, confirmMs, now, log },
        where: `${url} ${member.label}`,
      });
    },
    async *discover(_range, signal) {
      const listening = new AbortController();
      const end = AbortSignal.any([signal, listening.signal]);
      await open();
      const follow = (onNext: (message: Message) => void): (() => void) => {
        void outside
          .listen('#', onNext, end)
          .catch((err: unknown) => log.warn({ url, err }, 'mqtt search ended'));
        return () => {
          listening.abort();
        };
      };
      yield* placesOf(following([], follow, timeoutMs, signal), members.subjects());
    },
    async close() {
      openedAt = undefined;
      await outside.close();
      closeStore();
    },
  };
}

/** One device for each topic above the last level, and for each Sparkplug node and device that was born. */
async function* placesOf(
  messages: AsyncIterable<Message>,
  subjects: readonly Subject[],
): AsyncGenerator<FoundDevice> {
  const found = new Set<string>();
  for await (const { topic } of messages) {
    const [space, group = '', type = '', node = '', ...device] = topic.split('/');
    const isSparkplug = space === 'spBv1.0' && node !== '' && type !== 'STATE';
    const root = isSparkplug ? [group, node, ...device].join('/') : topic.slice(0, topic.lastIndexOf('/'));
    const key = `${isSparkplug ? 's' : 't'} ${root}`;
    if (root === '' || found.has(key) || found.size >= MAX_FOUND || topic.startsWith('$')) continue;
    found.add(key);
    const [deviceName] = device;
    yield {
      params: isSparkplug
        ? { sparkplug: { group, node, ...(deviceName !== undefined && { device: deviceName }) } }
        : { topic: root },
      label: root,
      facts: { topic, configured: subjects.some((one) => one.owns(topic)) ? 'yes' : 'no' },
    };
  }
}
