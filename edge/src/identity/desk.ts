import { statSync } from 'node:fs';
import { join } from 'node:path';
import {
  DeskAnswer,
  GatewayAsk,
  type GatewayCall,
  type MappedPark,
  rotationText,
  type SignedText,
} from '@parkline/contract';
import type { Bell } from '../base/bell.ts';
import type { Clock } from '../base/clock.ts';
import { isDiskFault } from '../base/disk.ts';
import type { FaultLog } from '../base/fault-log.ts';
import { readSigned, type SignedAddress } from '../downlink/signed.ts';
import { type OwnKeys, proveKeys, publicKeysOf } from './keys.ts';
import type { LogRing } from './log-ring.ts';
import { packPark } from './mapped-park.ts';
import { IDENTITY_FILE, type IdentityStore } from './store.ts';

export interface DeskDeps extends SignedAddress {
  readonly home: string;
  readonly version: string;
  readonly store: IdentityStore;
  readonly logs: LogRing;
  /** What is mapped here; undefined when the cloud knows it, because it said so itself. */
  readonly mapped: () => MappedPark | undefined;
  readonly link: {
    /** Grows with each connection; 0 while there is none. */
    generation(): number;
    request(payload: Uint8Array, timeoutMs: number): Promise<Uint8Array>;
    /** Leaves and comes back with what the files say now. */
    renew(): void;
  };
  /** Ed25519 by the gateway's key in force. */
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** Stops the gateway in order, so that it starts again with the keys that lie in its home. */
  readonly restart: () => void;
  /** Rung when the cloud asks something. */
  readonly bell: Bell;
  readonly clock: Clock;
  readonly faults: FaultLog;
}

/** The gateway's own business with its cloud: that it is there, its keys, its log, what was mapped on it. */
export interface Desk {
  /** Takes what claims to be a question. Never throws. */
  take(bytes: Uint8Array): void;
  /** Looks once a second what is due, until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>;
}

const TURN_MS = 1_000;
const CALL_TIMEOUT_MS = 12_000;
/** Pause after a call that failed, ms. */
const RETRY_MS = 30_000;
/** Of a log in one answer: a message may have 1 MiB, and quotes are written twice. */
const LOG_BYTES = 400_000;
/** The mapping of a park that is larger than one message is not offered; it comes by a file. */
const MAPPING_CHARS = 900_000;

type Order = Body<'hello'> | Body<'renew'> | Body<'mapping'> | Body<'logs'>;
type Body<W extends GatewayCall['what']> = Omit<Extract<GatewayCall, { what: W }>, 'gatewayId' | 'at'>;

export function createDesk(deps: DeskDeps): Desk {
  const { gatewayId, store, clock, faults, link, bell } = deps;
  const asked = new Map<string, GatewayAsk>();
  const waits = new Map<string, number>();
  /** When this process found or wrote the identity. Another process may claim this gateway while it runs. */
  const written = new Set([changedAt(deps.home)]);
  let greeted = 0;
  let offered = '';

  /** Sends a signed call. @returns its answer. @throws Error when there is none, or none to believe. */
  async function call(order: Order | ((at: number) => Body<'rotate'>)): Promise<DeskAnswer> {
    const at = clock.now();
    const body = JSON.stringify({ gatewayId, at, ...(typeof order === 'function' ? order(at) : order) });
    const sig = Buffer.from(deps.sign(Buffer.from(body))).toString('base64url');
    const bytes = await link.request(
      Buffer.from(JSON.stringify({ body, sig } satisfies SignedText)),
      CALL_TIMEOUT_MS,
    );
    const checked = readSigned(DeskAnswer, bytes, deps);
    if (!checked.ok) throw new Error(`the answer is not to be believed: ${checked.why}`);
    if (checked.body.to !== at) throw new Error('the answer is to another call');
    return checked.body;
  }

  /** Does `work` when its pause after a failure is over. */
  async function attempt(what: string, work: () => Promise<void>): Promise<void> {
    if ((waits.get(what) ?? 0) > clock.monotonic()) return;
    try {
      await work();
      waits.delete(what);
      faults.over(`desk ${what}`, 'the cloud answers again', { what });
    } catch (err) {
      if (isDiskFault(err)) faults.fault(`desk ${what}`, 'keys cannot be written down now', { what, err });
      else faults.fault(`desk ${what}`, 'the cloud did not answer', { what, err });
      waits.set(what, clock.monotonic() + RETRY_MS);
    }
  }

  async function greet(): Promise<void> {
    const generation = link.generation();
    await expectOk(call({ what: 'hello', version: deps.version }));
    greeted = generation;
  }

  /** JWT and certificate anew at half of their life; the connection changes over without an end. */
  async function renew(): Promise<void> {
    const { credentials } = await expectOk(call({ what: 'renew' }));
    if (!credentials) throw new Error('the cloud signed nothing');
    inForce(credentials, store.own());
    written.add(changedAt(deps.home));
    link.renew();
  }

  function inForce(credentials: NonNullable<DeskAnswer['credentials']>, keys: OwnKeys): void {
    const identity = store.identity();
    if (!identity) throw new Error('this gateway was not claimed');
    const { issuedAt, expiresAt } = credentials;
    const cloudKey = deps.cloudKey.export({ type: 'spki', format: 'pem' }).toString();
    store.issued(keys, { ...identity, issuedAt, expiresAt, credentials, cloudKey, yaml: null });
    store.settle();
  }

  async function rotate(): Promise<void> {
    const keys = store.prepare();
    const publicKeys = publicKeysOf(keys);
    const order = (at: number): Body<'rotate'> => ({
      what: 'rotate',
      keys: publicKeys,
      proofs: proveKeys(keys, rotationText(gatewayId, at, publicKeys)),
    });
    const { credentials } = await expectOk(call(order));
    if (!credentials) throw new Error('the cloud signed nothing');
    inForce(credentials, keys);
    deps.restart();
  }

  async function answer({ id, what, lines = 200 }: GatewayAsk): Promise<void> {
    if (what === 'rotate') return rotate();
    await call({ what: 'logs', askId: id, ...deps.logs.last(lines, LOG_BYTES) });
  }

  async function offerMapping(): Promise<void> {
    const park = deps.mapped();
    if (!park || park.devices.length === 0) return;
    const { hash, packed } = packPark(park);
    if (hash === offered) return;
    const { wanted } = await expectOk(call({ what: 'mapping', hash }));
    if (wanted && packed.length <= MAPPING_CHARS)
      await expectOk(call({ what: 'mapping', hash, park: packed }));
    offered = hash;
  }

  const isRenewalDue = (): boolean => {
    const identity = store.identity();
    if (!identity) return false;
    const [from, to] = [Date.parse(identity.issuedAt), Date.parse(identity.expiresAt)];
    return clock.now() >= (from + to) / 2;
  };

  async function turn(): Promise<void> {
    if (!written.has(changedAt(deps.home))) return deps.restart();
    if (link.generation() === 0) return;
    if (greeted !== link.generation()) await attempt('hello', greet);
    for (const ask of asked.values()) {
      asked.delete(ask.id);
      if (ask.expiresAt >= clock.now()) await attempt(`${ask.what} ${ask.id}`, () => answer(ask));
    }
    await attempt('mapping', offerMapping);
    await attempt('renew', async () => {
      if (isRenewalDue()) await renew();
    });
  }

  return {
    take(bytes) {
      const checked = readSigned(GatewayAsk, bytes, deps);
      if (!checked.ok) return void faults.fault('ask-refused', 'question refused', { why: checked.why });
      // Asked again until it is answered: what is done twice by that is done once for who asked.
      asked.set(checked.body.id, checked.body);
      bell.ring();
    },
    async run(signal) {
      while (!signal.aborted) {
        await turn();
        await bell.heard(TURN_MS, signal);
      }
    },
  };
}

async function expectOk(answer: Promise<DeskAnswer>): Promise<DeskAnswer> {
  const found = await answer;
  if (found.ok) return found;
  throw new Error(found.why);
}

/** When the identity was last written, ms; 0: never. */
function changedAt(home: string): number {
  return statSync(join(home, IDENTITY_FILE), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
