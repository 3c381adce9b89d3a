import type { Language } from '@parkline/contract';
import type { Db } from '../platform/db.ts';
import { type SheetFormat, writeSheet } from '../platform/sheets.ts';
import { headerOf, writeCell } from './columns.ts';
import type { Scope, SheetKind } from './kind.ts';

/** Everything of a kind that the person may see, as a file that can be imported again and then changes nothing. */
export async function exportSheet(
  trx: Db,
  kind: SheetKind,
  scope: Omit<Scope, 'locks'>,
  { format, language }: { readonly format: SheetFormat; readonly language: Language },
): Promise<Buffer> {
  const prepared = await kind.prepare(trx, { ...scope, locks: false });
  const rows = [...prepared.stored.values()].map(({ values }) => {
    const cells = prepared.cells?.(values) ?? values;
    return kind.columns.map((column) => writeCell(column, cells[column.name], language));
  });
  return writeSheet(format, headers(kind, language), rows);
}

/** An empty file of a kind, with one row that shows how each column is written. */
export const templateSheet = (kind: SheetKind, format: SheetFormat, language: Language): Promise<Buffer> =>
  writeSheet(format, headers(kind, language), [kind.columns.map(({ example }) => example)]);

const headers = ({ columns }: SheetKind, language: Language): string[] =>
  columns.map((column) => headerOf(column, language));
