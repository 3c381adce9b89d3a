import type { Preview } from '../points/session.ts';
import type { Batch, StoredPoint } from '../points/store.ts';
import { table } from './io.ts';

/** Lines of a list that a person reads; the rest is counted. */
const MAX_LINES = 50;

/** `{add, change, unchanged, errors}`, with what else was asked for behind. */
export function importJson(
  { plan, errors }: Preview,
  { details, batch }: { details: boolean; batch?: number | null },
): string {
  const { add, change, unchanged, source } = plan;
  const points = plan.changes.flatMap(({ row, what, point, fields }) =>
    what === 'unchanged' ? [] : [{ row, what, fields, point }],
  );
  return `${JSON.stringify({
    add,
    change,
    unchanged,
    errors,
    ...(batch !== undefined && { batch }),
    ...(details && { source, points }),
  })}\n`;
}

/** The same for people: faults first, then what changes. */
export function importText(
  { plan, errors }: Preview,
  { batch, isDryRun }: { batch: number | null; isDryRun: boolean },
): string {
  const faults = errors.slice(0, MAX_LINES).map(({ row, field, message }) => [String(row), field, message]);
  const changes = plan.changes
    .filter(({ what }) => what !== 'unchanged')
    .slice(0, MAX_LINES)
    .map(({ row, what, point, fields }) => [
      String(row),
      what,
      point.name,
      point.address ?? '',
      what === 'change' ? fields.join(', ') : (point.note ?? ''),
    ]);
  const parts = [
    ...(faults.length > 0 ? [table(['ROW', 'FIELD', 'FAULT'], faults) + more(errors.length)] : []),
    ...(changes.length > 0
      ? [table(['ROW', '', 'POINT', 'ADDRESS', 'WHAT'], changes) + more(plan.add + plan.change)]
      : []),
    `${plan.add} to add, ${plan.change} to change, ${plan.unchanged} unchanged, ${errors.length} faults\n`,
  ];
  if (batch !== null) parts.push(`done as batch ${batch}; parkline points undo ${batch} takes it back\n`);
  else if (isDryRun && plan.add + plan.change > 0)
    parts.push('nothing was written; --yes in place of --dry-run does\n');
  return parts.join('\n');
}

const more = (count: number): string => (count > MAX_LINES ? `and ${count - MAX_LINES} more\n` : '');

/** A line of `parkline points list`. */
export const pointRow = ({ id, source, point }: StoredPoint): string[] => [
  id,
  point.name,
  point.equipment ?? '',
  point.device === null ? '' : String(point.device),
  point.address ?? '',
  point.kind,
  point.unit ?? point.sourceUnit ?? '',
  source,
];

/** A line of `parkline points batches`. */
export const batchRow = ({ id, at, file, format, added, changed, undoneAt }: Batch): string[] => [
  String(id),
  new Date(at).toISOString(),
  file,
  format,
  String(added),
  String(changed),
  undoneAt === null ? '' : new Date(undoneAt).toISOString(),
];
