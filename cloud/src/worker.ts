import type pg from 'pg';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { commissioningJobs } from './commissioning/index.ts';
import { faultFailpoints, faultJobs, loadRules, runFaults } from './faults/index.ts';
import type { Now, Wait } from './platform/clock.ts';
import type { Db } from './platform/db.ts';
import { createFailpoints } from './platform/failpoints.ts';
import { idempotencyRetention } from './platform/idempotency.ts';
import { identityRetention, letterJobs, runAuditHeads } from './identity/index.ts';
import { meteringJobs } from './metering/index.ts';
import type { NewId } from './platform/ids.ts';
import { type Mailer, mailJobs } from './platform/mail.ts';
import type { Secrets } from './platform/secrets.ts';
import { runRetention } from './platform/retention.ts';
import { runJobs } from './platform/run-jobs.ts';
import { telemetryRetention } from './telemetry/index.ts';
import { tenancyJobs } from './tenancy/index.ts';
import { createSend, runDeliveries, webhookJobs, webhookRetention } from './webhooks/index.ts';
import { orderFailpoints, workOrderJobs } from './workorders/index.ts';

/** Places where the fault suite can kill a worker. */
export const workerFailpoints = [...faultFailpoints, ...orderFailpoints];

export interface WorkerDeps {
  /** As parkline_worker. */
  readonly pool: pg.Pool;
  readonly db: Db;
  readonly now: Now;
  readonly wait: Wait;
  readonly newId: NewId;
  readonly log: Logger;
  readonly metrics?: Registry;
  /** `name:crash@n`, for the fault suite. */
  readonly failpoint?: string | undefined;
  readonly crash: () => void;
  readonly mailer: Mailer;
  /** Opens what webhooks are signed with. */
  readonly secrets: Secrets;
  /** For development: webhooks may go to this machine and its networks. */
  readonly allowPrivateWebhooks?: boolean;
  /** Address of the portal, for links in mails. */
  readonly publicUrl: string;
  /** How long what is kept is kept, in days. */
  readonly keep: { readonly auditDays: number; readonly eventDays: number };
}

/** Background work until `signal` aborts: judges faults, does jobs. Any number of these may run. */
export async function runWorker(deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  const rules = loadRules();
  const failpoint = createFailpoints(workerFailpoints, deps.failpoint, deps.crash);
  const shared = { ...deps, rules, failpoint };
  const leaseJobs = { ...tenancyJobs(shared), ...meteringJobs(shared) };
  const handlers = {
    ...leaseJobs,
    ...faultJobs(shared),
    ...workOrderJobs(shared),
    ...commissioningJobs(deps),
    ...webhookJobs(deps),
  };
  // A mail server that thinks for long delays mails only.
  const outward = { ...mailJobs(deps.mailer), ...letterJobs(deps) };
  const tasks = Object.keys(outward);
  const retention = [
    ...identityRetention(deps.keep),
    idempotencyRetention,
    ...telemetryRetention(deps.keep),
    ...webhookRetention,
  ];
  const send = createSend({ allowPrivate: deps.allowPrivateWebhooks ?? false });
  await Promise.all([
    runFaults(shared, signal),
    runJobs({ ...shared, handlers, lane: { except: tasks } }, signal),
    runJobs({ ...shared, metrics: undefined, handlers: outward, lane: { only: tasks } }, signal),
    runDeliveries({ ...deps, send, chance: Math.random }, signal),
    runRetention({ ...deps, rules: retention }, signal),
    runAuditHeads(deps, signal),
  ]);
}
