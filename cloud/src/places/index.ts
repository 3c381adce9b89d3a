export { placeRecordRoutes } from './record-lists.ts';
export { buildingSheet, floorSheet, siteSheet } from './place-sheets.ts';
export { places } from './repository.ts';
export { placeRoutes } from './routes.ts';
export { seedPlaces, type PlacePlan, type SeededPlaces } from './seed.ts';
export { dayOfSpace, EVER, spaceHistory, spaceRecord } from './space-record.ts';
export { followedState, stateRefusal, type StateRefusal } from './space-states.ts';
export { byKey, faultsIn, idsByKey, isFaults, lockOf, removeAll } from './place-sheets.ts';
export { keyColumn, nameColumns, nameOf, namesOf, refColumn } from './sheet-columns.ts';
