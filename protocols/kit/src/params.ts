import { DriverError } from './errors.ts';
import type { ParamsSchema, Static, TSchema } from './schema.ts';
import { schemaFaults, withDefaults } from './schema-faults.ts';

/** Parameters by their schema, with its defaults. @throws DriverError 'config' naming every bad field. */
export function parseParams<Schema extends TSchema>(
  schema: Schema,
  params: unknown,
  where: string,
): Static<Schema> {
  return checkParams(schema, withDefaults(schema as ParamsSchema, params), where);
}

/** The same for parameters whose absence means something else than the schema's default. @throws DriverError 'config'. */
export function checkParams<Schema extends TSchema>(
  schema: Schema,
  params: unknown,
  where: string,
): Static<Schema> {
  const faults = schemaFaults(schema as ParamsSchema, params);
  if (faults.length > 0) throw new DriverError('config', faults.join('; '), where);
  return params as Static<Schema>;
}
