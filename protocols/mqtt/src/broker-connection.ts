import { type Connection, type DriverDeps, DriverError, type FoundDevice } from '@parkline/kit';
import { rootOf } from './access.ts';
import { createBroker } from './broker.ts';
import type { Account } from './door.ts';
import { createMqttDriver } from './driver.ts';
import { createMembers } from './members.ts';
import { type BrokerParams, type DeviceParams, parseDeviceParams } from './params.ts';
import { following } from './following.ts';
import { createSeen, type Visitor } from './seen.ts';
import type { Subject } from './subject.ts';
import { createThrottle } from './throttle.ts';
import type { Outlet } from './writing.ts';

/** For a Sparkplug node to take a command, ms. */
const COMMAND_MS = 10_000;

interface OwnAccount extends Account {
  readonly subjects: Subject[];
}

/** A connection whose broker is the gateway itself. */
export function openBroker({ timeoutMs, ...params }: BrokerParams, deps: DriverDeps): Connection {
  const { now, log, dataDir } = deps;
  const where = `${params.host}:${params.port}`;
  const accounts = new Map<string, OwnAccount>();
  const members = createMembers(deps);
  const seen = createSeen();
  const broker = createBroker({
    ...{ ...params, log, now, seen, dataDir },
    accountOf: (username) => accounts.get(username),
    subjectOf: (topic) => members.subjects().find((subject) => subject.owns(topic)),
  });
  let openedAt: Promise<number> | undefined;

  /** Everyone who reads asks for the broker; it opens once, and again after it could not. */
  async function open(): Promise<number> {
    openedAt ??= broker.open().then(now);
    try {
      return await openedAt;
    } catch (error) {
      openedAt = undefined;
      throw error;
    }
  }

  /** Several Sparkplug devices come on the connection of their node. */
  function accountFor({ username, passwordSha256, sparkplug }: DeviceParams): OwnAccount {
    if (username === undefined || passwordSha256 === undefined)
      throw new DriverError(
        'config',
        'username and passwordSha256 are needed: nobody else may come in',
        where,
      );
    const known = accounts.get(username);
    if (known && (!sparkplug || known.passwordSha256 !== passwordSha256))
      throw new DriverError('config', `username ${username} is there twice`, where);
    const throttle = createThrottle(params.maxMessagesPerSecond, now);
    const account = known ?? { username, passwordSha256, subjects: [], throttle };
    accounts.set(username, account);
    return account;
  }

  function outletOf(username: string): Outlet {
    return {
      async send(topic, payload, until) {
        const { listeners, acknowledged } = await broker.send(username, topic, payload, until);
        if (listeners > 0) return { acknowledged };
        const advice = `nothing was sent: no connection of the device subscribed to ${topic}`;
        throw new DriverError('refused', advice, `${where} ${username}`);
      },
    };
  }

  return {
    device(deviceParams) {
      const parsed = parseDeviceParams(deviceParams);
      const account = accountFor(parsed);
      const { username } = account;
      const outlet = outletOf(username);
      const { station, dialect, subject, label } = members.add(parsed, rootOf(username), (topic, payload) => {
        outlet.send(topic, payload, now() + COMMAND_MS).catch((err: unknown) => {
          log.debug({ username, topic, err }, 'mqtt command not sent');
        });
      });
      if (!account.subjects.includes(subject)) account.subjects.push(subject);
      const { maxAgeMs, confirmMs } = parsed;
      return createMqttDriver({
        ...{ station, dialect, outlet, open, timeoutMs, maxAgeMs, confirmMs, now, log },
        where: `${where} ${label}`,
      });
    },
    async *discover(_range, signal) {
      await open();
      for await (const visitor of following(seen.list(), seen.follow, timeoutMs, signal))
        yield deviceOf(visitor, accounts.has(visitor.username));
    },
    async close() {
      openedAt = undefined;
      await broker.close();
    },
  };
}

function deviceOf({ username, clientId, address, at, refusal }: Visitor, isKnown: boolean): FoundDevice {
  return {
    params: { username },
    label: username || clientId || address,
    facts: {
      address,
      ...(clientId && { clientId }),
      login: refusal === undefined ? 'accepted' : `refused: ${refusal}`,
      configured: isKnown ? 'yes' : 'no',
      seen: new Date(at).toISOString(),
    },
  };
}
