import { isSource } from './base/source.ts';

/**
 * The drivers a gateway knows: protocol and package. Each is loaded, in a thread of its own, when a connection names it: a
 * gateway without a protocol does not carry its library.
 */
export const driverPackages = [
  ['modbus', '@parkline/modbus'],
  ['bacnet', '@parkline/bacnet'],
  ['opcua', '@parkline/opcua'],
  ['mqtt', '@parkline/mqtt'],
  ['dlt645', '@parkline/dlt645'],
  ['cjt188', '@parkline/cjt188'],
] as const;

/** Protocol -> URL of the module that exports its `driver`. */
export const driverModules: ReadonlyMap<string, string> = new Map(
  driverPackages.map(([protocol, name]) => [
    protocol,
    isSource ? import.meta.resolve(name) : new URL(`driver-${protocol}.js`, import.meta.url).href,
  ]),
);
