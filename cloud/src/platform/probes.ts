import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { Registry } from 'prom-client';

/** Things this process needs, by name; each resolves when usable and rejects when not. */
export type ReadyChecks = Readonly<Record<string, () => Promise<void>>>;

const Ready = Type.Object({
  ready: Type.Boolean(),
  checks: Type.Record(Type.String(), Type.Union([Type.Literal('ok'), Type.Literal('failed')])),
});

/** Longest a probe waits for one check. */
const CHECK_MS = 2_000;

/** /healthz: the process runs. /readyz: what it depends on answers, too. /metrics: for Prometheus. */
export function probeRoutes(app: FastifyInstance, checks: ReadyChecks, metrics: Registry): void {
  const config = { permission: 'public' };
  const quiet = { config, logLevel: 'warn' } as const; // Asked every few seconds by machines.

  app.get(
    '/healthz',
    {
      ...quiet,
      schema: {
        summary: 'Say that the process is alive',
        response: { 200: Type.Object({ ok: Type.Literal(true) }) },
      },
    },
    () => ({
      ok: true as const,
    }),
  );

  app.get(
    '/readyz',
    {
      ...quiet,
      schema: {
        summary: 'Say whether the process can serve: database and broker answer',
        response: { 200: Ready, 503: Ready },
      },
    },
    async (_request, reply) => {
      const names = Object.keys(checks);
      const settled = await Promise.allSettled(names.map((name) => within(CHECK_MS, checks[name])));
      const ready = settled.every(({ status }) => status === 'fulfilled');
      const words = settled.map(({ status }, i) => [names[i], status === 'fulfilled' ? 'ok' : 'failed']);
      return reply.code(ready ? 200 : 503).send({ ready, checks: Object.fromEntries(words) });
    },
  );

  app.get('/metrics', { ...quiet, schema: { hide: true } }, async (_request, reply) =>
    reply.type(metrics.contentType).send(await metrics.metrics()),
  );
}

async function within(ms: number, check: (() => Promise<void>) | undefined): Promise<void> {
  const timer = AbortSignal.timeout(ms);
  const late = new Promise<never>((_resolve, reject) => {
    timer.addEventListener('abort', () => reject(timer.reason as Error), { once: true });
  });
  await Promise.race([check?.(), late]);
}
