export { listOf } from './columns.ts';
export { exportSheet, templateSheet } from './export.ts';
export {
  type Cell,
  type Cells,
  type Column,
  type Fault,
  keptOr,
  type Prepared,
  type RowFault,
  type Scope,
  type SheetKind,
  type Stored,
  unknownKey,
  type Values,
  type Wanted,
} from './kind.ts';
export { importRoutes } from './routes.ts';
export { runImport, undoImport } from './run.ts';
