import bacnet from '@bacnet-js/client';

/**
 * The client class of the library, a CommonJS module with a default export: Node gives the module's exports for it, bundlers
 * and test runners the class itself.
 */
export const BacnetClient: typeof bacnet.default =
  (bacnet as { default?: typeof bacnet.default }).default ?? (bacnet as unknown as typeof bacnet.default);
export type BacnetClient = InstanceType<typeof BacnetClient>;
