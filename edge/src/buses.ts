import { isDeepStrictEqual } from 'node:util';
import type { Wait } from './base/clock.ts';
import type { ConnectionConfig, DeviceConfig } from './config/schema.ts';
import { type Bus, createBus, isHopeless, type OpenDeps, type OpenDevice } from './devices.ts';

/** Pause before a device that could not be opened is tried again, ms; doubles up to the most. */
const FIRST_RETRY_MS = 5_000;
const MOST_RETRY_MS = 60_000;
/** A driver that does not let go is left behind after this time, ms. */
const CLOSE_LIMIT_MS = 2_000;

export interface BusesDeps extends OpenDeps {
  /** Everything there is to do with an open device until `signal` aborts. Rejects only when the gateway must end. */
  readonly work: (device: OpenDevice, phase: number, signal: AbortSignal) => Promise<void>[];
  /** A device cannot be used; it is tried again unless only another configuration helps. */
  readonly onBroken: (device: DeviceConfig, error: unknown) => void;
  readonly wait: Wait;
  /** In [0, 1). */
  readonly random: () => number;
}

/** All connections and devices of a gateway, each device with a life of its own. */
export interface Buses {
  /** Those that are open. */
  devices(): OpenDevice[];
  /** Works until `signal` aborts, then lets all devices go. Rejects when the work of one device does. */
  run(signal: AbortSignal): Promise<void>;
  /**
   * Goes over to `connections`. What did not change goes on without a pause; everything else is let go, then `between` is
   * called with the equipment ids of the devices that stay, then what is new is opened.
   */
  change(
    connections: readonly ConnectionConfig[],
    between: (kept: ReadonlySet<string>) => void,
  ): Promise<void>;
}

/** One device from opening to closing. */
interface Life {
  readonly config: DeviceConfig;
  readonly bus: Bus;
  readonly stop: AbortController;
  readonly phase: number;
  device: OpenDevice | undefined;
  error: unknown;
  /** Resolves when nothing is done with the device any more. */
  done: Promise<void>;
}

/** Opens all devices; one that cannot be used costs only itself. */
export async function openBuses(connections: readonly ConnectionConfig[], deps: BusesDeps): Promise<Buses> {
  const { wait } = deps;
  const lives = new Set<Life>();
  const buses = new Set<Bus>();
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined); // Whoever runs hears of it; before that nobody listens.
  let running: AbortSignal | undefined;

  async function tryOpen(life: Life): Promise<void> {
    try {
      life.device = await life.bus.open(life.config);
    } catch (error) {
      life.error = error;
      if (!life.stop.signal.aborted) deps.onBroken(life.config, error);
    }
  }

  async function live(life: Life, signal: AbortSignal): Promise<void> {
    for (let pause = FIRST_RETRY_MS; !life.device; pause = Math.min(MOST_RETRY_MS, 2 * pause)) {
      if (isHopeless(life.error)) return;
      await wait(pause, signal);
      if (signal.aborted) return;
      await tryOpen(life);
    }
    await Promise.all(deps.work(life.device, life.phase, signal));
  }

  function start(life: Life): void {
    if (!running) return;
    life.done = live(life, AbortSignal.any([running, life.stop.signal]));
    life.done.catch(failed.reject);
  }

  /** Opens the devices of `bus` that are in `wanted`, then starts them. */
  async function add(bus: Bus, wanted: readonly DeviceConfig[], phaseOf: (index: number) => number) {
    buses.add(bus);
    const made = wanted.map((config, index): Life => {
      const stop = new AbortController();
      const phase = phaseOf(index);
      return { config, bus, stop, phase, device: undefined, error: undefined, done: Promise.resolve() };
    });
    for (const life of made) lives.add(life);
    await Promise.all(made.map(tryOpen));
    made.forEach(start);
  }

  async function letGo(gone: readonly Life[], goneBuses: readonly Bus[]): Promise<void> {
    for (const { stop } of gone) stop.abort();
    await Promise.allSettled(gone.map(({ done }) => done));
    for (const life of gone) lives.delete(life);
    for (const bus of goneBuses) buses.delete(bus);
    const over = new AbortController();
    const closed = Promise.allSettled(gone.map(async ({ device }) => device?.driver.close())).then(() =>
      Promise.allSettled(goneBuses.map((bus) => bus.close())),
    );
    await Promise.race([closed, wait(CLOSE_LIMIT_MS, over.signal)]);
    over.abort();
  }

  const total = connections.reduce((sum, { devices }) => sum + devices.length, 0);
  let index = 0;
  await Promise.all(
    connections.map((config) => {
      const first = index;
      index += config.devices.length;
      return add(createBus(config, deps), config.devices, (n) => (first + n) / total);
    }),
  );

  return {
    devices: () => [...lives].flatMap(({ device }) => device ?? []),
    async run(signal) {
      running = signal;
      lives.forEach(start);
      const stopped = Promise.withResolvers<undefined>();
      const onAbort = (): void => {
        stopped.resolve(undefined);
      };
      if (signal.aborted) onAbort();
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        await Promise.race([stopped.promise, failed.promise]);
      } finally {
        await letGo([...lives], [...buses]);
      }
    },
    async change(wanted, between) {
      const plan = planChange(wanted, [...buses], [...lives]);
      await letGo(plan.gone, plan.goneBuses);
      between(new Set([...lives].map(({ config }) => config.equipmentId)));
      await Promise.all(
        plan.opened.map(({ config, bus, devices }) =>
          add(bus ?? createBus(config, deps), devices, deps.random),
        ),
      );
    },
  };
}

interface Plan {
  readonly gone: readonly Life[];
  readonly goneBuses: readonly Bus[];
  /** Devices to open; on the open connection where it stays as it is. */
  readonly opened: readonly {
    readonly config: ConnectionConfig;
    readonly bus: Bus | undefined;
    readonly devices: readonly DeviceConfig[];
  }[];
}

/** A connection stays when its driver and parameters do, a device when all of it does, on a connection that stays. */
function planChange(
  wanted: readonly ConnectionConfig[],
  buses: readonly Bus[],
  lives: readonly Life[],
): Plan {
  const staying = new Map<string, Bus>();
  for (const config of wanted) {
    const bus = buses.find((one) => one.config.id === config.id && isSameLink(one.config, config));
    if (bus) staying.set(config.id, bus);
  }
  const stays = new Set<Life>();
  const opened = wanted.map((config) => {
    const bus = staying.get(config.id);
    const devices = config.devices.filter((device) => {
      const life = lives.find((one) => one.bus === bus && isDeepStrictEqual(one.config, device));
      if (life) stays.add(life);
      return !life;
    });
    return { config, bus, devices };
  });
  const kept = new Set(staying.values());
  return {
    opened: opened.filter(({ devices }) => devices.length > 0),
    gone: lives.filter((life) => !stays.has(life)),
    goneBuses: buses.filter((bus) => !kept.has(bus)),
  };
}

const isSameLink = (a: ConnectionConfig, b: ConnectionConfig): boolean =>
  a.driver === b.driver && isDeepStrictEqual(a.params, b.params);
