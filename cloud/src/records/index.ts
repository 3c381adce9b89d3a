export { changedFields } from './changed-fields.ts';
export { holderWords } from './holder-words.ts';
export { type Holder, holdersOf } from './holders.ts';
export {
  changeRecord,
  type Editor,
  noSuch,
  type RecordDeps,
  type RecordKind,
  recordRoutes,
} from './record-routes.ts';
export { refusalOf, refusing } from './refusals.ts';
