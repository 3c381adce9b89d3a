export * from './byte-line.ts';
export * from './serial-dial.ts';
export * from './serial-settings.ts';
export * from './tcp-dial.ts';
