export { places } from './repository.ts';
export { placeRoutes } from './routes.ts';
export { seedPlaces, type PlacePlan, type SeededPlaces } from './seed.ts';
