import type { CheckedReading, ReportContent, ReportProof } from '@parkline/contract';
import type { Content, TableCell, TDocumentDefinitions } from 'pdfmake/interfaces.js';
import { formatLocal } from '../metering/index.ts';

type Meter = ReportContent['meters'][number];

const states = {
  open: '未判定 · open',
  passed: '通过 · passed',
  failed: '未通过 · failed',
  waived: '豁免 · waived',
} as const;
const places = {
  telemetry: '表计上传值已含 · in what the meter sends',
  display: '表计显示值已含 · on its display, too',
  billing: '计费时相乘 · only in billing',
} as const;
const roles = { installer: '安装人员 · Installer', engineer: '设施工程师 · Facility engineer' } as const;

/** The report on paper, in Chinese and English beside each other. Pure. */
export function paperOf(content: ReportContent, signatures: ReportProof['signatures']): TDocumentDefinitions {
  const { number, account, site, gateway, timezone, createdAt, meters } = content;
  const time = (at: string): string => `${formatLocal(Date.parse(at), timezone)} ${timezone}`;
  return {
    info: { title: `Commissioning report ${number} 调试报告`, subject: gateway.key, creator: 'Parkline' },
    pageSize: 'A4',
    pageMargins: [40, 48, 40, 56],
    defaultStyle: { font: 'Noto', fontSize: 9, lineHeight: 1.25 },
    footer: (page, pages) => ({
      text: `${number} · ${page} / ${pages}`,
      alignment: 'center',
      fontSize: 8,
      margin: [0, 16, 0, 0],
    }),
    content: [
      { text: '表计调试报告', fontSize: 18, bold: true },
      { text: 'Meter commissioning report', fontSize: 12, margin: [0, 0, 0, 10] },
      facts([
        ['编号 · Number', number],
        ['运营单位 · Operator', both(account)],
        ['场地 · Site', both(site)],
        ['网关 · Gateway', `${both(gateway.name)} (${gateway.key})`],
        ['日期 · Made', time(createdAt)],
        ['表计 · Meters', summary(meters)],
      ]),
      {
        text:
          '判定：读表时刻的遥测值与“显示值 × 变比”之差不超过 0.5 %。\n' +
          'Test: at the time of the reading, telemetry and display × ratio differ by no more than 0.5 %.',
        fontSize: 8,
        margin: [0, 8, 0, 8],
      },
      ...meters.flatMap((meter, n) => meterBlock(meter, n + 1, time)),
      ...signatureBlock(signatures, time),
    ],
  };
}

const both = ({ zh, en }: { zh: string; en: string }): string => (zh === en ? zh : `${zh} · ${en}`);

function summary(meters: readonly Meter[]): string {
  const count = (state: Meter['state']): number => meters.filter((meter) => meter.state === state).length;
  return `${meters.length}：${states.passed} ${count('passed')}，${states.waived} ${count('waived')}`;
}

function facts(rows: readonly (readonly [string, string])[]): Content {
  return {
    layout: 'noBorders',
    table: {
      widths: [130, '*'],
      body: rows.map(([name, value]) => [{ text: name, color: '#555555' }, value]),
    },
  };
}

function meterBlock(meter: Meter, n: number, time: (at: string) => string): Content[] {
  const ratio =
    meter.ctRatio === null || meter.ptRatio === null
      ? '—'
      : `CT ${meter.ctRatio} · PT ${meter.ptRatio}${meter.ratioApplied ? ` · ${places[meter.ratioApplied]}` : ''}`;
  return [
    {
      unbreakable: true,
      stack: [
        {
          text: `${n}. ${both(meter.name)} (${meter.key})`,
          bold: true,
          fontSize: 10.5,
          margin: [0, 8, 0, 2],
        },
        facts([
          ['结果 · Result', states[meter.state]],
          ['序列号 · Serial number', meter.serial ?? '—'],
          ['变比 · Ratio', ratio],
          ['铭牌照片 · Nameplate photo', meter.photoSha256 ? `SHA-256 ${meter.photoSha256}` : '—'],
          [
            '记录 · Recorded',
            meter.recordedBy ? `${meter.recordedBy}, ${time(meter.recordedAt ?? '')}` : '—',
          ],
          ...(meter.waiveReason
            ? ([['豁免理由 · Waived', `${meter.waiveReason} (${meter.waivedBy ?? ''})`]] as const)
            : []),
        ]),
        ...(meter.readings.length > 0 ? [readings(meter, time)] : []),
      ],
    },
  ];
}

function readings({ readings: rows, unit }: Meter, time: (at: string) => string): Content {
  const head = ['读表时间\nRead at', '显示值\nDisplay', '显示 × 变比\nDisplay × ratio', '遥测值\nTelemetry'];
  const cells = (row: CheckedReading): TableCell[] => [
    time(row.at),
    row.display,
    withUnit(row.expected, unit),
    withUnit(row.telemetry, unit),
    row.difference === null ? '—' : `${row.difference} (± ${row.allowed ?? '—'})`,
  ];
  return {
    margin: [0, 4, 0, 0],
    fontSize: 8,
    table: {
      headerRows: 1,
      widths: ['*', 60, 90, 90, 110],
      body: [[...head, '差值 (允许)\nDifference (allowed)'], ...rows.map(cells)],
    },
    layout: 'lightHorizontalLines',
  };
}

const withUnit = (value: number | null, unit: string): string => (value === null ? '—' : `${value} ${unit}`);

function signatureBlock(signatures: ReportProof['signatures'], time: (at: string) => string): Content[] {
  return [
    { text: '签署 · Signatures', bold: true, fontSize: 12, margin: [0, 16, 0, 4] },
    facts(
      signatures.map(
        ({ as, personName, at, factor }) =>
          [
            roles[as],
            `${personName}, ${time(at)}${factor ? `, 双因素 · second factor: ${factor}` : ''}`,
          ] as const,
      ),
    ),
    {
      text:
        '本文件的 SHA-256 由云端 Ed25519 密钥签名，用 parkline commissioning verify 核验。\n' +
        'The SHA-256 of this file is signed with the Ed25519 key of the cloud: check it with parkline commissioning verify.',
      fontSize: 8,
      margin: [0, 8, 0, 0],
    },
  ];
}
