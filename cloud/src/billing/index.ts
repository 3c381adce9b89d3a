export { type CorrectionNote, noteCorrections } from './correction.ts';
export { type Json, parseJson } from './json.ts';
export { myUsageRoutes } from './my-routes.ts';
export { presentRun } from './present.ts';
export { describeRun } from './report.ts';
export { type Simulation, simulate } from './simulate.ts';
export { priceSteps } from './step-tariff.ts';
