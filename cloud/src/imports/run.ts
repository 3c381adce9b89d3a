import type { ImportResult, Language, RowNote } from '@parkline/contract';
import { sql } from 'kysely';
import { auditAll } from '../identity/index.ts';
import type { Db } from '../platform/db.ts';
import { inLanguage } from '../platform/i18n.ts';
import type { Sheet } from '../platform/sheets.ts';
import { changedFields, refusalOf } from '../records/index.ts';
import type { Fault, Prepared, RowFault, Scope, SheetKind, Values, Wanted } from './kind.ts';
import { isSame, type Plan, planImport } from './plan.ts';
import { batches, type BatchRow } from './repository.ts';

/** Faults told of one file, and warnings. */
const MOST_FAULTS = 500;

export interface ImportOrder {
  readonly sheet: Sheet;
  readonly dryRun: boolean;
  /** Name of the file. */
  readonly file: string | null;
  readonly language: Language;
}

/**
 * Brings a file in, all of it or nothing, and says what it did. A dry run does the same and takes it back, so that it
 * meets every rule that the real one would. Inside a transaction of the person's own, which the caller commits.
 */
export async function runImport(
  trx: Db,
  kind: SheetKind,
  scope: Omit<Scope, 'locks'>,
  { sheet, dryRun, file, language }: ImportOrder,
): Promise<ImportResult> {
  const { accountId, personId, at } = scope;
  await batches.lockKind(trx, accountId, kind.name);
  const prepared = await kind.prepare(trx, { ...scope, locks: true });
  const plan = planImport(kind, prepared, sheet);
  const wanted = [...plan.add, ...plan.change];
  const reply = { kind: kind.name, dryRun, batchId: null, unchanged: plan.unchanged };
  const counts = { add: plan.add.length, change: plan.change.length };
  const told = (faults: readonly RowFault[]) => toldOf({ faults, warnings: plan.warnings }, language);
  if (plan.faults.length > 0 || wanted.length === 0) return { ...reply, ...counts, ...told(plan.faults) };

  await sql`savepoint import`.execute(trx);
  const faults = await attempt(trx, () => prepared.write(wanted));
  if (dryRun || faults.length > 0) {
    await sql`rollback to savepoint import`.execute(trx);
    return { ...reply, ...counts, ...told(faults) };
  }
  const rows = await rowsOf(trx, kind, scope, wanted);
  const batchId = scope.newId();
  const batch = { id: batchId, accountId, kind: kind.name, file, at, personId };
  await batches.add(trx, { ...batch, added: counts.add, changed: counts.change }, rows);
  await auditRows(trx, kind, scope, { rows, batchId });
  return { ...reply, batchId, ...counts, ...told([]) };
}

/** Does the work and lets the database look at every rule that it would only look at in the end. */
async function attempt(trx: Db, work: () => Promise<readonly RowFault[]>): Promise<readonly RowFault[]> {
  try {
    const faults = await work();
    if (faults.length === 0) await sql`set constraints all immediate`.execute(trx);
    await sql`set constraints all deferred`.execute(trx);
    return faults;
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    return [{ row: 0, field: '', text: refusal.text }];
  }
}

const toldOf = ({ faults, warnings }: Pick<Plan, 'faults' | 'warnings'>, language: Language) => ({
  errors: notesOf(faults, language),
  errorCount: faults.length,
  warnings: notesOf(warnings, language),
  warningCount: warnings.length,
});

const notesOf = (faults: readonly RowFault[], language: Language): RowNote[] =>
  faults
    .slice(0, MOST_FAULTS)
    .map(({ row, field, text }) => ({ row, field, message: inLanguage(text, language) }));

/** What became of the rows: asked of the database, so that an undo compares with what is really there. */
async function rowsOf(
  trx: Db,
  kind: SheetKind,
  scope: Omit<Scope, 'locks'>,
  wanted: readonly Wanted[],
): Promise<BatchRow[]> {
  const { stored } = await kind.prepare(trx, { ...scope, locks: false });
  const key = kind.columns[0]!.name;
  return wanted.map(({ values, stored: before }) => {
    const name = String(values[key]);
    const now = stored.get(name);
    if (!now) throw new Error(`${kind.noun} ${name} was stored and is not there`);
    return {
      ...{ subjectId: now.id, key: name, version: now.version },
      ...{ before: before?.values ?? null, after: now.values },
    };
  });
}

async function auditRows(
  trx: Db,
  kind: SheetKind,
  { accountId, personId, at, ip }: Omit<Scope, 'locks'>,
  { rows, batchId }: { readonly rows: readonly BatchRow[]; readonly batchId: string },
): Promise<void> {
  const deed = { accountId, personId, at, ...(ip !== undefined && { ip }) };
  const shown = kind.audited ?? ((values: Values) => values);
  const entries = rows.map(({ subjectId, before, after }) => ({
    ...deed,
    action: `${kind.noun}.${before ? 'changed' : 'added'}`,
    subjectId,
    details: { import: batchId },
    ...changedFields(before && shown(before), shown(after)),
  }));
  await auditAll(trx, entries);
}

export type Undone =
  | { readonly ok: true; readonly rows: number }
  | { readonly ok: false; readonly why: 'unknown' | 'undone' | 'forgotten' }
  /** Rows that somebody changed since, or that something holds. */
  | { readonly ok: false; readonly why: 'held'; readonly faults: readonly Fault[] };

/** Brings every row back to what it was before an import, while none was changed since. */
export async function undoImport(
  trx: Db,
  kinds: readonly SheetKind[],
  scope: Omit<Scope, 'locks'>,
  batchId: string,
): Promise<Undone> {
  const found = await batches.lock(trx, scope.accountId, batchId);
  const kind = found && kinds.find(({ name }) => name === found.batch.kind);
  if (!found || !kind) return { ok: false, why: 'unknown' };
  if (found.batch.undoneAt) return { ok: false, why: 'undone' };
  const { rows } = found;
  if (rows.length < found.batch.added + found.batch.changed) return { ok: false, why: 'forgotten' };
  await batches.lockKind(trx, scope.accountId, kind.name);
  const prepared = await kind.prepare(trx, { ...scope, locks: true });
  const changed = rows.filter((row) => !isUntouched(prepared, row));
  if (changed.length > 0)
    return { ok: false, why: 'held', faults: changed.map(({ key }) => wasChanged(key)) };

  const faults = await takeBack(trx, prepared, rows);
  if (faults.length > 0) return { ok: false, why: 'held', faults };
  await batches.setUndone(trx, scope.accountId, batchId, scope.at);
  await auditUndo(trx, kind, scope, { rows, batchId });
  return { ok: true, rows: rows.length };
}

function isUntouched({ stored }: Prepared, { key, subjectId, version, after }: BatchRow): boolean {
  const now = stored.get(key);
  return now?.id === subjectId && now.version === version && isSame(now.values, after);
}

const wasChanged = (key: string): Fault => ({
  field: key,
  text: {
    en: `"${key}" was changed or deleted since, or lies where you may not work.`,
    zh: `“${key}”在导入后已被修改或删除，或不在您的权限范围内。`,
  },
});

async function takeBack(trx: Db, prepared: Prepared, rows: readonly BatchRow[]): Promise<readonly Fault[]> {
  await sql`savepoint undo`.execute(trx);
  const wanted = rows.flatMap(({ key, before }): Wanted[] =>
    before ? [{ row: 0, values: before, stored: prepared.stored.get(key) }] : [],
  );
  const added = rows.flatMap(({ key, before }) => (before ? [] : [prepared.stored.get(key)!]));
  const faults: Fault[] = [];
  const work = async (): Promise<readonly RowFault[]> => {
    if (wanted.length > 0) faults.push(...(await prepared.write(wanted)));
    if (added.length > 0) faults.push(...(await prepared.remove(added)));
    return faults.map((fault) => ({ ...fault, row: 0 }));
  };
  const refused = await attempt(trx, work);
  if (refused.length > 0) await sql`rollback to savepoint undo`.execute(trx);
  return refused;
}

async function auditUndo(
  trx: Db,
  kind: SheetKind,
  { accountId, personId, at, ip }: Omit<Scope, 'locks'>,
  { rows, batchId }: { readonly rows: readonly BatchRow[]; readonly batchId: string },
): Promise<void> {
  const deed = { accountId, personId, at, ...(ip !== undefined && { ip }) };
  const shown = kind.audited ?? ((values: Values) => values);
  const entries = rows.map(({ subjectId, before, after }) => ({
    ...deed,
    action: `${kind.noun}.${before ? 'changed' : 'removed'}`,
    subjectId,
    details: { undo: batchId },
    ...changedFields(shown(after), before && shown(before)),
  }));
  await auditAll(trx, entries);
}
