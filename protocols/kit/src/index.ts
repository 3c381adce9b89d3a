export * from './back-off.ts';
export * from './driver.ts';
export * from './errors.ts';
export * from './quality.ts';
export * from './registry.ts';
export * from './params.ts';
export * from './schema.ts';
export * from './line/index.ts';
