import { createHash } from 'node:crypto';
import { Worker } from 'node:worker_threads';
import type { ReportContent, ReportProof } from '@parkline/contract';
import type { JobHandlers } from '../platform/run-jobs.ts';
import { canonicalJson } from './canonical.ts';
import type { PaperOrder } from './paper-thread.ts';
import { reports } from './repository.ts';

export const PAPER_TASK = 'commissioning.paper';
/** A report of a thousand meters takes a few seconds; ms. */
const LIMIT_MS = 60_000;

/** Draws a report in a thread of its own: fonts are large, and nothing else waits for them. @throws Error when it cannot be drawn. */
export async function drawPaper(order: PaperOrder): Promise<Buffer> {
  const worker = new Worker(new URL('paper-thread.ts', import.meta.url), { workerData: order });
  const drawn = Promise.withResolvers<Buffer>();
  const timer = setTimeout(() => {
    drawn.reject(new Error(`the report was not drawn within ${LIMIT_MS / 1_000} s`));
  }, LIMIT_MS);
  worker.once('message', (bytes: Uint8Array) => {
    drawn.resolve(Buffer.from(bytes));
  });
  worker.once('error', drawn.reject);
  worker.once('exit', (code) => {
    drawn.reject(new Error(`the thread that draws reports ended with ${code}`));
  });
  try {
    return await drawn.promise;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

/** Draws what two have signed, and writes down what is to be sealed. */
export const paperJobs = (): JobHandlers => ({
  async [PAPER_TASK](trx, { accountId, key }) {
    const report = await reports.find(trx, accountId, key);
    if (!report || report.proof !== null) return;
    const rows = await reports.signatures(trx, accountId, [key]);
    const signatures = rows.map(({ signedAs, personId, personName, at, factor }) => ({
      ...{ as: signedAs, personId, personName, at: at.toISOString(), factor },
    }));
    const content: ReportContent = report.content;
    const pdf = await drawPaper({ content, signatures });
    const proof: ReportProof = {
      ...{ content, signatures },
      pdfSha256: createHash('sha256').update(pdf).digest('hex'),
    };
    await trx
      .updateTable('commissioningReport')
      .set({ pdf, proof: canonicalJson(proof) })
      .where('accountId', '=', accountId)
      .where('id', '=', key)
      .execute();
  },
});
