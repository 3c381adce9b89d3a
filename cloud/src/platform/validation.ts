import type { FastifySchemaCompiler, RouteOptions } from 'fastify';
import Type, { type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { AppError, type FieldFault } from './errors.ts';

/**
 * Makes a route refuse what its schema does not name: an unknown key in query, parameters or body is a fault, not a
 * silent miss (`?limt=5` must not answer with the default). A route without a query schema takes no query at all.
 */
export function closeSchemas(route: RouteOptions): void {
  const schema = (route.schema ??= {});
  if (schema.hide) return; // Pages and files: what a link carries behind the ? is the page's own business.
  schema.querystring = closed(schema.querystring ?? Type.Object({}));
  if (schema.params) schema.params = closed(schema.params);
  if (schema.body) schema.body = closed(schema.body);
}

/** Rebuilt rather than spread: typebox keeps its marks in properties that a spread loses. */
const closed = (schema: unknown): unknown =>
  Type.IsObject(schema) && !('additionalProperties' in schema)
    ? Type.Object(schema.properties, { additionalProperties: false })
    : schema;

/** Checks with typebox itself. Query and parameters are text, so they are converted; a JSON body must be right as it is. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  const text = httpPart !== 'body';
  return (input: unknown) => {
    const value: unknown = text ? Value.Convert(schema, Value.Default(schema, input)) : input;
    if (check.Check(value)) return { value };
    return { error: badInput(httpPart === 'body' ? 'body' : '', check.Errors(value)) };
  };
};

type Faults = ReturnType<typeof Value.Errors>;

function badInput(root: string, errors: Faults): AppError {
  const faults = new Map<string, string>();
  for (const { keyword, instancePath, params, message } of errors) {
    const path = instancePath.slice(1).replaceAll('/', '.');
    if (keyword === 'required') {
      for (const name of params.requiredProperties) faults.set(joined(root, path, name), 'is required');
    } else if (keyword === 'additionalProperties') {
      for (const name of params.additionalProperties)
        faults.set(joined(root, path, name), 'is not known here');
    } else if (keyword !== 'boolean') {
      faults.set(joined(root, path), message);
    }
  }
  const details: FieldFault[] = [...faults].map(([field, message]) => ({ field, message }));
  const text = details.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new AppError('bad_input', text, { details });
}

const joined = (...parts: string[]): string => parts.filter(Boolean).join('.') || 'body';
