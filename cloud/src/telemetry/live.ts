import { PassThrough } from 'node:stream';
import type { NatsConnection } from '@nats-io/transport-node';
import { LiveQuery, type LiveSample, qualityOf } from '@parkline/contract';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import { actorOf } from '../platform/access.ts';
import { type Db, withActor } from '../platform/db.ts';
import { AppError, badField } from '../platform/errors.ts';
import { createStreamLimit } from '../platform/stream-limit.ts';
import { createLiveHub, type LiveHub } from './live-hub.ts';
import { findPoints, type PointFilter, type PointRow } from './repository.ts';
import { engineering } from './sample.ts';

export interface LiveDeps {
  readonly db: Db;
  /** Resolves when the broker is first reached. */
  readonly nats: Promise<NatsConnection>;
  /** Whether the session of a running stream still stands; rejecting ends the stream like `false`. */
  readonly isLoggedIn: (request: FastifyRequest) => Promise<boolean>;
  readonly live?: Partial<LiveTimes>;
}

/** All in ms. */
interface LiveTimes {
  /** A comment this often keeps proxies from closing a quiet stream. */
  readonly heartbeat: number;
  /** How often the session is looked at; a revoked one ends its stream within this. */
  readonly session: number;
  /** Second look at the stored values: what ingest held in memory at the first is written by then. */
  readonly settle: number;
}
const times: LiveTimes = { heartbeat: 15_000, session: 3_000, settle: 2_000 };

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** GET /api/live: the values as they stand, then every change, as server-sent events until the session ends. */
export function liveRoute(app: FastifyInstance, deps: LiveDeps): void {
  const hub = createLiveHub(deps.nats, app.log);
  const limit = createStreamLimit();
  const schema = { querystring: LiveQuery, description: 'Server-sent events: `samples` with LiveSample[].' };

  app.get<{ Querystring: Static<typeof LiveQuery> }>(
    '/api/live',
    // No HEAD: nobody would read the stream, and so nobody end it.
    {
      config: { permission: 'point.read', display: true, gives: ['text/event-stream'] },
      schema: { summary: 'Stream values as they come', operationId: 'streamLive', ...schema },
      exposeHeadRoute: false,
    },
    async (request, reply) => {
      const actor = actorOf(request);
      const filter = readFilter(request.query);
      const giveBack = limit.take(actor.personId);
      const load = () => withActor(deps.db, actor, (trx) => findPoints(trx, actor.accountId, filter));
      const body = new PassThrough();
      const stream = createLiveStream(body);
      // Listens before it looks: a change in between is sent twice at worst, and `stream` drops the older one.
      const stop = hub.listen(actor.accountId, (samples) => stream.offer(samples.map(fromUpdate)));
      body.once('close', stop).once('close', giveBack);
      try {
        const points = await load();
        // Everything of an empty park is nothing; a named point, device or building without points is not there.
        const least = filter.ids?.length ?? (filter.equipment || filter.building ? 1 : 0);
        if (points.length < least) throw new AppError('not_found', 'no such points');
        body.write(':\n\n'); // The answer's head goes with the first bytes, and an empty park has none for long.
        stream.start(points.map(fromRow));
      } catch (error) {
        body.destroy();
        throw error;
      }
      keepAlive(deps, { request, body, stream, load });
      return reply
        .type('text/event-stream')
        .header('cache-control', 'no-store')
        .header('x-accel-buffering', 'no')
        .send(body);
    },
  );
}

interface Running {
  readonly request: FastifyRequest;
  readonly body: PassThrough;
  readonly stream: LiveStream;
  readonly load: () => Promise<PointRow[]>;
}

function keepAlive(deps: LiveDeps, { request, body, stream, load }: Running): void {
  const { heartbeat, session, settle } = { ...times, ...deps.live };
  const timers = [
    setInterval(() => body.write(':\n\n'), heartbeat),
    setInterval(() => {
      deps.isLoggedIn(request).then(
        (still) => still || body.end(),
        (err: unknown) => {
          request.log.warn({ err }, 'session not checked, live stream ended'); // The browser connects anew.
          body.end();
        },
      );
    }, session),
    setTimeout(() => {
      load().then(
        (points) => stream.offer(points.map(fromRow)),
        (err: unknown) => request.log.warn({ err }, 'live values not read again'),
      );
    }, settle),
  ];
  body.once('close', () => timers.forEach((timer) => clearTimeout(timer)));
}

export interface LiveStream {
  /** Sends the first event with every point of the stream; others are not sent afterwards. */
  start(snapshot: readonly LiveSample[]): void;
  /** Sends what is newer than what was sent. Before `start` it is kept. */
  offer(samples: readonly LiveSample[]): void;
}

/** Turns values into events, each point only ever forward in time. A slow reader gets fewer events, never old ones. */
export function createLiveStream(body: PassThrough): LiveStream {
  /** Unix ms of what was last taken; has every point of the stream once it started. */
  const newest = new Map<string, number>();
  let waiting = new Map<string, LiveSample>();
  let started = false;

  function flush(): void {
    if (waiting.size === 0 || body.writableEnded || body.writableNeedDrain) return;
    body.write(`event: samples\ndata: ${JSON.stringify([...waiting.values()])}\n\n`);
    waiting = new Map();
  }
  body.on('drain', flush);

  const timeOf = ({ at }: LiveSample): number => (at === null ? -Infinity : Date.parse(at));

  function take(sample: LiveSample): void {
    const last = newest.get(sample.pointId);
    const at = timeOf(sample);
    if (last === undefined || at <= last) return;
    newest.set(sample.pointId, at);
    waiting.set(sample.pointId, sample);
  }

  return {
    start(snapshot) {
      const early = [...waiting.values()];
      waiting = new Map(snapshot.map((sample) => [sample.pointId, sample]));
      for (const sample of snapshot) newest.set(sample.pointId, timeOf(sample));
      started = true;
      early.forEach(take);
      flush();
    },
    offer(samples) {
      if (started) samples.forEach(take);
      else for (const sample of samples) waiting.set(sample.pointId, sample);
      if (started) flush();
    },
  };
}

const fromRow = (row: PointRow): LiveSample => ({
  pointId: row.id,
  at: row.at?.toISOString() ?? null,
  value: engineering(row.value, row.resolution),
  quality: row.quality === null ? null : qualityOf(row.quality),
});

const fromUpdate = ({
  pointId,
  at,
  value,
  q,
}: Parameters<Parameters<LiveHub['listen']>[1]>[0][number]): LiveSample => ({
  pointId,
  at: new Date(at).toISOString(),
  value,
  quality: qualityOf(q),
});

/** @throws AppError 'bad_input' when `points` is no list of ids. */
function readFilter({ points, equipment, building }: Static<typeof LiveQuery>): PointFilter {
  const ids = points === undefined ? undefined : [...new Set(points.toLowerCase().split(','))];
  if (ids?.some((id) => !UUID.test(id)))
    throw badField('points', { en: 'must be a comma list of ids', zh: '须为以逗号分隔的 id 列表' });
  return { ...(ids && { ids }), ...(equipment && { equipment }), ...(building && { building }) };
}
