import { createPublicKey, randomUUID, sign as signWith } from 'node:crypto';
import type { Logger } from 'pino';
import { createBell } from './base/bell.ts';
import type { Clock, Wait } from './base/clock.ts';
import { realDisk } from './base/disk.ts';
import type { Failpoint } from './base/failpoint.ts';
import { createFaultLog } from './base/fault-log.ts';
import { createConfigLife } from './config/life.ts';
import type { Home } from './config/load.ts';
import type { ConfigStore } from './config/store.ts';
import { createCommands } from './downlink/commands.ts';
import { createOffers, createUpdateOffers } from './downlink/offers.ts';
import { createField } from './field.ts';
import { pointsOf } from './config/schema.ts';
import { createDeviceBoard } from './health/devices.ts';
import { writeHealth } from './health/file.ts';
import type { FieldModule } from './host/remote.ts';
import { createDesk } from './identity/desk.ts';
import type { LogRing } from './identity/log-ring.ts';
import { mappedHere } from './identity/mapped-park.ts';
import { adoptOutbox } from './identity/outbox-owner.ts';
import { openIdentityStore } from './identity/store.ts';
import { createDeviceEvents } from './pipeline/device-events.ts';
import { createEventLane } from './pipeline/events.ts';
import { createGapLedger } from './pipeline/gaps.ts';
import { openOutbox } from './pipeline/outbox.ts';
import { createStamper } from './pipeline/stamp.ts';
import { createLocalRules } from './rules/rules.ts';
import { openRuleStore } from './rules/store.ts';
import { createUpdateLife } from './update/life.ts';
import type { Slots } from './update/slots.ts';
import { createUpstream } from './upstream.ts';
import { openJournal } from './writing/journal.ts';
import { createWritingSwitch } from './writing/switch.ts';
import { createWriting } from './writing/writing.ts';

export interface AgentDeps {
  readonly home: Home;
  readonly configStore: ConfigStore;
  readonly logs: LogRing;
  /** NATS_URL of the environment: wins over every configuration. */
  readonly natsUrl?: string | undefined;
  readonly version: string;
  /** The two slots of the program; undefined where no launcher started it. */
  readonly slots?: Slots | undefined;
  readonly loadDriver: (protocol: string) => Promise<FieldModule>;
  readonly clock: Clock;
  readonly wait: Wait;
  /** In [0, 1). */
  readonly random: () => number;
  readonly log: Logger;
  readonly failpoint: Failpoint;
}

export interface Agent {
  /**
   * Works until `signal` aborts, until a new configuration needs a new start, or until another release is to run; when it
   * resolves, everything read is on disk.
   * @throws OutboxError 'corrupt' when the outbox file was damaged while in use: the next start moves it aside.
   */
  run(signal: AbortSignal): Promise<'stopped' | 'restart' | 'replace'>;
}

/**
 * Puts a gateway together from its home. No I/O but the outbox file.
 * @throws OutboxError when the outbox cannot be opened.
 */
export async function createAgent(deps: AgentDeps): Promise<Agent> {
  const { home, clock, wait, log, failpoint } = deps;
  const { config, keys } = home;
  const now = (): number => clock.now();
  const faults = createFaultLog(log, clock);
  const sign = (bytes: Uint8Array): Uint8Array => signWith(null, bytes, keys.signing);
  const uplinkBell = createBell(wait);
  const healthBell = createBell(wait);

  const outbox = openOutbox({
    path: home.outboxPath,
    maxBytes: config.outbox.maxMegabytes * 1024 * 1024,
    now,
    failpoint,
    onMovedAside: (movedTo, err) => {
      log.error({ movedTo, err }, 'outbox file is damaged: moved aside, a new one begins');
    },
  });
  const publicKey = createPublicKey(keys.signing);
  adoptOutbox(outbox, { gatewayId: config.gatewayId, publicKey, sign, log });
  const events = createEventLane({
    ...{ gatewayId: config.gatewayId, outbox, sign },
    onAppended: uplinkBell.ring,
  });
  const gaps = createGapLedger({ outbox, events, now, faults });
  const board = createDeviceBoard({
    devices: config.connections.flatMap(({ devices }) => devices),
    ...{ now, faults },
    onChange: healthBell.ring,
  });
  const field = await createField({
    ...{ config, outbox, gaps, board, sign, clock, wait, log, faults, failpoint },
    random: deps.random,
    dataDir: home.driverDir,
    loadDriver: deps.loadDriver,
    onAppended: uplinkBell.ring,
    stamper: createStamper(clock, outbox.heldUntil() ?? 0),
    onReadings: (samples) => {
      rules.see(samples);
    },
    onDeviceEvent: createDeviceEvents({ events, newId: randomUUID, now, faults }),
  });
  const writingSwitch = createWritingSwitch(home.writingOffPath);
  const isWritingOff = (): boolean => writingSwitch.off() !== undefined;
  const writing = createWriting({
    journal: openJournal(home.commandsPath, now(), (movedTo) => {
      log.error({ movedTo }, 'journal of commands is damaged: moved aside, older commands are refused');
    }),
    find: field.find,
    isOff: isWritingOff,
    newId: randomUUID,
    ...{ events, clock, wait, log, faults, failpoint },
  });
  const limits = new Map(pointsOf(config).map(({ id, write }) => [id, write?.holdS]));
  const rules = createLocalRules({
    ...{ rules: config.rules, gatewayId: config.gatewayId, timezone: config.timezone },
    ...{ events, clock, wait, faults },
    store: openRuleStore(home.rulesPath, (movedTo) => {
      log.error({ movedTo }, 'memory of the local rules is damaged: moved aside, a new one begins');
    }),
    command: writing.take,
    holdLimitS: (pointId) => limits.get(pointId),
  });
  const again = new AbortController();
  const configLife = createConfigLife({
    ...{ store: deps.configStore, config, natsUrl: deps.natsUrl, board, events, clock, wait, faults },
    isCloudConnected: () => upstream.isConnected(),
    change: field.change,
    restart: () => {
      again.abort();
    },
  });
  const replace = new AbortController();
  const updateLife = createUpdateLife({
    ...{ slots: deps.slots, keyPath: home.releaseKeyPath, board, events, clock, wait, faults },
    isCloudConnected: () => upstream.isConnected(),
    ask: (query, timeoutMs) => upstream.askChunk(query, timeoutMs),
    get: fetch,
    replace: () => {
      replace.abort();
    },
    platform: `${process.platform}-${process.arch}`,
    node: process.versions.node,
  });
  const deskBell = createBell(wait);
  const desk = createDesk({
    ...{ gatewayId: config.gatewayId, cloudKey: keys.cloud, home: home.path, version: deps.version },
    ...{
      store: openIdentityStore(home.path, realDisk),
      logs: deps.logs,
      sign,
      bell: deskBell,
      clock,
      faults,
    },
    mapped: () => mappedHere(deps.configStore, configLife.config()),
    link: {
      generation: () => upstream.desk.generation(),
      request: (payload, timeoutMs) => upstream.desk.request(payload, timeoutMs),
      renew: () => {
        upstream.desk.renew();
      },
    },
    restart: () => {
      again.abort();
    },
  });
  const upstream = createUpstream({
    gatewayId: config.gatewayId,
    access: { url: config.nats.url, credentials: keys.nats, tls: home.natsTls },
    cloudKey: keys.cloud,
    keepMs: config.outbox.keepHours * 3_600_000,
    bell: uplinkBell,
    onCommand: createCommands({
      ...{ gatewayId: config.gatewayId, cloudKey: keys.cloud, faults },
      onCommand: writing.take,
    }),
    onConfig: createOffers({
      ...{ gatewayId: config.gatewayId, cloudKey: keys.cloud, faults },
      onOffer: ({ yaml, at }) => {
        configLife.offer({ yaml, source: 'cloud', offerAt: at });
      },
    }),
    onAsk: desk.take,
    onUpdate: createUpdateOffers({
      ...{ gatewayId: config.gatewayId, cloudKey: keys.cloud, faults },
      onOffer: updateLife.offer,
    }),
    health: {
      keep: (health) => {
        writeHealth(home.healthPath, health);
      },
      ...{ version: deps.version, startedAt: now(), board, refused: gaps.refused, sign, bell: healthBell },
      isWritingOff,
    },
    ...{ outbox, clock, wait, log, faults, failpoint },
  });

  return {
    async run(signal) {
      const stop = new AbortController();
      const onStop = (): void => {
        stop.abort();
      };
      if (signal.aborted) onStop();
      signal.addEventListener('abort', onStop, { once: true });
      again.signal.addEventListener('abort', onStop, { once: true });
      replace.signal.addEventListener('abort', onStop, { once: true });
      const parts = [
        field.run(stop.signal),
        upstream.run(stop.signal),
        writing.run(stop.signal),
        rules.run(stop.signal),
        configLife.run(stop.signal),
        updateLife.run(stop.signal),
        desk.run(stop.signal),
      ];
      try {
        await Promise.all(parts);
      } finally {
        onStop(); // One part that dies takes the other down in order: the last batch still reaches the disk.
        await Promise.allSettled(parts);
        outbox.close();
        signal.removeEventListener('abort', onStop);
      }
      if (replace.signal.aborted && !signal.aborted) return 'replace';
      return again.signal.aborted && !signal.aborted ? 'restart' : 'stopped';
    },
  };
}
