export * from './bcd.ts';
export * from './meter-line.ts';
export * from './reading.ts';
export * from './params.ts';
export type { Question } from './wire.ts';
