import type { Language } from '@parkline/contract';
import type { FastifySchemaCompiler, RouteOptions } from 'fastify';
import Type, { type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { AppError } from './errors.ts';
import { faultWords, ownWords } from './fault-words.ts';
import { inLanguage, type LocalText } from './i18n.ts';

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
  const root = httpPart === 'body' ? 'body' : '';
  return (input: unknown) => {
    const value = httpPart === 'body' ? input : fromText(schema, input);
    if (!check.Check(value)) return { error: badInput(schema, root, check.Errors(value)) };
    const unstorable = textsWithNul(value, root);
    if (unstorable.length === 0) return { value };
    return { error: inputError(unstorable.map((field) => ({ field, message: ownWords.nul }))) };
  };
};

/** Text becomes what the schema asks for only where it says exactly that: `1.5` and `true` are no integers. */
function fromText(schema: TSchema, input: unknown): unknown {
  const given = Object.entries(Value.Default(schema, input) as Record<string, unknown>);
  const converted = Value.Convert(schema, Object.fromEntries(given)) as Record<string, unknown>;
  return Object.fromEntries(
    given.map(([key, text]) => [key, String(converted[key]) === text ? converted[key] : text]),
  );
}

/** PostgreSQL has no text with a NUL in it, so none gets further than this. */
function textsWithNul(value: unknown, path: string): string[] {
  if (typeof value === 'string') return value.includes('\0') ? [path] : [];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => textsWithNul(inner, joined(path, key)));
}

type Faults = ReturnType<typeof Value.Errors>;

function badInput(schema: TSchema, root: string, errors: Faults): AppError {
  const faults = new Map<string, LocalText>();
  for (const error of errors) {
    const { keyword, instancePath, schemaPath, params } = error;
    const path = instancePath.slice(1).replaceAll('/', '.');
    if (isText(schemaAt(schema, schemaPath))) {
      faults.set(joined(root, path), ownWords.bothLanguages);
    } else if (keyword === 'required') {
      for (const name of params.requiredProperties) faults.set(joined(root, path, name), ownWords.required);
    } else if (keyword === 'additionalProperties') {
      for (const name of params.additionalProperties) faults.set(joined(root, path, name), ownWords.unknown);
    } else if (keyword !== 'boolean') {
      faults.set(joined(root, path), faultWords(error));
    }
  }
  return inputError([...faults].map(([field, message]) => ({ field, message })));
}

/** The part of a schema that a fault names: `#/properties/name`. */
const schemaAt = (schema: unknown, path: string): unknown =>
  path
    .split('/')
    .slice(1)
    .reduce((part, key) => (part as Record<string, unknown> | undefined)?.[key], schema);

/** Whether it asks for a name in both languages. */
function isText(schema: unknown): boolean {
  const { properties = {} } = (schema ?? {}) as { properties?: object };
  return Object.keys(properties).sort().join() === 'en,zh';
}

/** What is wrong with a field, in both languages until it is known who reads it. */
interface Fault {
  readonly field: string;
  readonly message: LocalText;
}

const isFault = (detail: unknown): detail is Fault =>
  typeof (detail as Partial<Fault> | null)?.message === 'object';

/** The details of a refusal as its reader reads them. */
export const detailsIn = (details: unknown, language: Language): unknown =>
  Array.isArray(details)
    ? details.map((one) => (isFault(one) ? { ...one, message: inLanguage(one.message, language) } : one))
    : details;

function inputError(details: readonly Fault[]): AppError {
  const text = details.map(({ field, message }) => `${field} ${message.en}`).join('; ');
  return new AppError('bad_input', text, { details });
}

const joined = (...parts: string[]): string => parts.filter(Boolean).join('.') || 'body';
