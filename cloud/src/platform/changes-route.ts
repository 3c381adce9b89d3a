import { PassThrough } from 'node:stream';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { type ChangeTopic, changeTopics } from '@parkline/contract';
import type { FastifyRequest } from 'fastify';
import { actorOf } from './access.ts';
import type { ChangeHub } from './changes.ts';
import { createStreamLimit } from './stream-limit.ts';

export interface ChangeDeps {
  readonly hub: ChangeHub;
  /** Permission without which nobody is told of a topic. */
  readonly permissions: Readonly<Record<ChangeTopic, string>>;
  /** Whether the session of a running stream still stands; rejecting ends the stream like `false`. */
  readonly isLoggedIn: (request: FastifyRequest) => Promise<boolean>;
  readonly times?: Partial<ChangeTimes>;
}

/** All in ms. */
interface ChangeTimes {
  /** A comment this often keeps proxies from closing a quiet stream. */
  readonly heartbeat: number;
  /** How often the session is looked at; a revoked one ends its stream within this. */
  readonly session: number;
  /** Changes within this time are told together. */
  readonly gather: number;
}
const usual: ChangeTimes = { heartbeat: 15_000, session: 3_000, gather: 100 };

/** GET /api/changes: which lists changed, as server-sent events until the session ends. */
export const changeRoutes =
  ({ hub, permissions, isLoggedIn, times }: ChangeDeps): FastifyPluginAsyncTypebox =>
  async (app) => {
    const { heartbeat, session, gather } = { ...usual, ...times };
    const limit = createStreamLimit();
    const description = 'Server-sent events: `changed` with the topics whose lists are to be loaded again.';
    app.get(
      '/api/changes',
      // No HEAD: nobody would read the stream, and so nobody end it.
      {
        config: { permission: 'session', display: true, gives: ['text/event-stream'] },
        schema: { summary: 'Stream which lists changed', operationId: 'streamChanges', description },
        exposeHeadRoute: false,
      },
      async (request, reply) => {
        const actor = actorOf(request);
        const giveBack = limit.take(actor.personId);
        const body = new PassThrough();
        const stream = createChangeStream(body, gather, (topic) => actor.permissions.has(permissions[topic]));
        const stop = hub.listen(actor.accountId, stream.offer);
        body.write(':\n\n'); // The answer's head goes with the first bytes, and who may know nothing waits for it, too.
        stream.offer(changeTopics);
        const timers = [
          setInterval(() => body.write(':\n\n'), heartbeat),
          setInterval(() => {
            isLoggedIn(request).then(
              (still) => still || body.end(),
              (err: unknown) => {
                request.log.warn({ err }, 'session not checked, stream of changes ended'); // The browser connects anew.
                body.end();
              },
            );
          }, session),
        ];
        body.once('close', () => {
          giveBack();
          stop();
          stream.end();
          for (const timer of timers) clearInterval(timer);
        });
        return reply
          .type('text/event-stream')
          .header('cache-control', 'no-store')
          .header('x-accel-buffering', 'no')
          .send(body);
      },
    );
  };

/** Gathers topics into events: a storm of changes is one event, and a slow reader gets fewer, never more. */
export function createChangeStream(
  body: PassThrough,
  gatherMs: number,
  mayKnow: (topic: ChangeTopic) => boolean,
) {
  const waiting = new Set<ChangeTopic>();
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    timer = undefined;
    if (waiting.size === 0 || body.writableEnded || body.writableNeedDrain) return;
    body.write(`event: changed\ndata: ${JSON.stringify({ topics: [...waiting] })}\n\n`);
    waiting.clear();
  }
  body.on('drain', flush);

  return {
    offer(topics: readonly ChangeTopic[]): void {
      for (const topic of topics) if (mayKnow(topic)) waiting.add(topic);
      if (waiting.size > 0) timer ??= setTimeout(flush, gatherMs);
    },
    end: (): void => clearTimeout(timer),
  };
}
