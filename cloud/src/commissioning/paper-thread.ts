// The thread that draws one report. It reads two fonts of ours and nothing else, from nowhere else.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { ReportContent, ReportProof } from '@parkline/contract';
import pdfmake from 'pdfmake';
import { paperOf } from './paper-document.ts';

/** What is to be drawn. */
export interface PaperOrder {
  readonly content: ReportContent;
  readonly signatures: ReportProof['signatures'];
}

const fonts = join(dirname(fileURLToPath(import.meta.resolve('@embedpdf/fonts-sc'))), '../fonts');
const [normal, bold] = ['Regular', 'Bold'].map((weight) => join(fonts, `NotoSansHans-${weight}.otf`)) as [
  string,
  string,
];

pdfmake.setLocalAccessPolicy((path) => path === normal || path === bold);
pdfmake.setUrlAccessPolicy(() => false);
pdfmake.setFonts({ Noto: { normal, bold, italics: normal, bolditalics: bold } });
const { content, signatures } = workerData as PaperOrder;
parentPort?.postMessage(await pdfmake.createPdf(paperOf(content, signatures)).getBuffer());
