import type { DriverLog } from '@parkline/kit';
import type { Peer } from './socket.ts';

export interface ForeignDeps {
  /** The BACnet broadcast management device, by its IP address. */
  readonly bbmd: Peer;
  /** Life of a registration, seconds; renewed at half of it. */
  readonly ttlS: number;
  /** How long a registration may take to be answered. */
  readonly timeoutMs: number;
  readonly send: (datagram: Buffer, to: Peer) => void;
  readonly log: DriverLog;
}

/** A registration as a foreign device (Annex J, clause J.5): broadcasts of another IP subnet, through its BBMD. */
export interface ForeignRegistration {
  /** Registers, and renews until `stop`. Resolves when the BBMD has said something, or nothing in time. */
  start(): Promise<undefined>;
  readonly isRegistered: boolean;
  /** What the BBMD last said that was no consent, for a person; undefined while all is well. */
  readonly trouble: string | undefined;
  /** A datagram from the BBMD. @returns whether it was an answer to a registration or distribution. */
  hear(datagram: Buffer): boolean;
  stop(): void;
}

const BVLC = { result: 0x00, register: 0x05 } as const;
/** BVLC-Result codes, clause J.2.1.3. */
const results = { done: 0x0000, registerRefused: 0x0030, distributeRefused: 0x0060 } as const;
const AGAIN_MS = { least: 1_000, most: 30_000 };

/** @returns the code of a BVLC-Result; undefined for any other datagram. */
export function resultIn(datagram: Buffer): number | undefined {
  const isResult = datagram.length === 6 && datagram[0] === 0x81 && datagram[1] === BVLC.result;
  return isResult && datagram.readUInt16BE(2) === 6 ? datagram.readUInt16BE(4) : undefined;
}

export function createForeignRegistration(deps: ForeignDeps): ForeignRegistration {
  const { bbmd, ttlS, timeoutMs, log } = deps;
  const where = `BBMD ${bbmd.address}:${bbmd.port}`;
  const request = Buffer.from([0x81, BVLC.register, 0, 6, ttlS >> 8, ttlS & 255]);
  let isRegistered = false;
  let trouble: string | undefined;
  let failures = 0;
  let timer: NodeJS.Timeout | undefined;
  let answered: ((nothing: undefined) => void) | undefined;
  let isStopped = true;

  function register(): void {
    if (isStopped) return;
    deps.send(request, bbmd);
    next(timeoutMs, () => failed(`${where} does not answer`));
  }

  function next(ms: number, work: () => void): void {
    clearTimeout(timer);
    timer = setTimeout(work, ms);
  }

  function settle(news: string | undefined): void {
    if (news !== trouble) {
      if (news) log.warn({ where, trouble: news }, 'foreign device not registered');
      else log.info({ where, ttlS }, 'foreign device registered');
    }
    trouble = news;
    isRegistered = news === undefined;
    answered?.(undefined);
  }

  function failed(why: string): void {
    settle(why);
    const pauseMs = Math.min(AGAIN_MS.most, AGAIN_MS.least * 2 ** Math.min(failures, 10));
    failures += 1;
    next(Math.min(pauseMs, Math.max(AGAIN_MS.least, ttlS * 500)), register);
  }

  return {
    start() {
      if (!isStopped) return Promise.resolve(undefined);
      isStopped = false;
      const { promise, resolve } = Promise.withResolvers<undefined>();
      answered = resolve;
      register();
      return promise;
    },
    get isRegistered() {
      return isRegistered;
    },
    get trouble() {
      return trouble;
    },
    hear(datagram) {
      const code = resultIn(datagram);
      if (code === undefined || isStopped) return false;
      if (code === results.done) {
        failures = 0;
        settle(undefined);
        next(ttlS * 500, register);
      } else if (code === results.registerRefused) {
        failed(`${where} refuses to register a foreign device (NAK 0x0030)`);
      } else if (code === results.distributeRefused && !isRegistered) {
        failed(`${where} neither registers this gateway nor distributes for it (NAK 0x0060)`);
      } else if (code === results.distributeRefused) {
        // It has forgotten us: after a restart of its own, or because renewals were lost.
        settle(`${where} no longer knows this gateway (NAK 0x0060); registering again`);
        next(0, register);
      } else return false;
      return true;
    },
    stop() {
      isStopped = true;
      isRegistered = false;
      clearTimeout(timer);
      answered?.(undefined);
    },
  };
}
