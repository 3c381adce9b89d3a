import { type Connection, type DriverDeps, DriverError, type FoundDevice } from '@parkline/kit';
import { rootOf } from './access.ts';
import { createBroker } from './broker.ts';
import type { Account } from './door.ts';
import { createMqttDriver } from './driver.ts';
import { createMembers, type Member } from './members.ts';
import { type BrokerParams, type DeviceParams, parseDeviceParams } from './params.ts';
import { following } from './following.ts';
import { createSeen, type Visitor } from './seen.ts';
import { createThrottle } from './throttle.ts';
import type { Outlet } from './writing.ts';

/** For a Sparkplug node to take a command, ms. */
const COMMAND_MS = 10_000;

/** Several Sparkplug devices come on the connection of their node. */
interface Login extends Omit<Account, 'subjects'> {
  readonly members: Member[];
}

/** A connection whose broker is the gateway itself. */
export function openBroker({ timeoutMs, ...params }: BrokerParams, deps: DriverDeps): Connection {
  const { now, log, dataDir } = deps;
  const where = `${params.host}:${params.port}`;
  const logins = new Map<string, Login>();
  const members = createMembers(deps);
  const seen = createSeen();
  const broker = createBroker({
    ...{ ...params, log, now, seen, dataDir },
    accountOf,
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

  function accountOf(username: string): Account | undefined {
    const login = logins.get(username);
    const open = login?.members.filter((member) => member.isOpen()) ?? [];
    if (!login || open.length === 0) return undefined;
    return { ...login, subjects: [...new Set(open.map(({ subject }) => subject))] };
  }

  /** @throws DriverError 'config' when another device logs in by that name. */
  function loginOf({ username, passwordSha256, sparkplug }: DeviceParams): Login {
    if (username === undefined || passwordSha256 === undefined)
      throw new DriverError(
        'config',
        'username and passwordSha256 are needed: nobody else may come in',
        where,
      );
    const known = accountOf(username);
    if (known && (!sparkplug || known.passwordSha256 !== passwordSha256))
      throw new DriverError('config', `username ${username} is there twice`, where);
    const login = known && logins.get(username);
    if (login) return login;
    const throttle = createThrottle(params.maxMessagesPerSecond, now);
    return { username, passwordSha256, throttle, members: [] };
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
      const login = loginOf(parsed);
      const { username } = login;
      const outlet = outletOf(username);
      const member = members.add(parsed, rootOf(username), (topic, payload) => {
        outlet.send(topic, payload, now() + COMMAND_MS).catch((err: unknown) => {
          log.debug({ username, topic, err }, 'mqtt command not sent');
        });
      });
      login.members.push(member);
      logins.set(username, login);
      // Who is connected comes again, and then as what it is configured to be.
      broker.hangUp(username);
      const { maxAgeMs, confirmMs } = parsed;
      return createMqttDriver({
        ...{ member, outlet, open, timeoutMs, maxAgeMs, confirmMs, now, log },
        where: `${where} ${username}`,
        onClose() {
          broker.hangUp(username);
        },
      });
    },
    async *discover(_range, signal) {
      await open();
      for await (const visitor of following(seen.list(), seen.follow, timeoutMs, signal))
        yield deviceOf(visitor, accountOf(visitor.username) !== undefined);
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
