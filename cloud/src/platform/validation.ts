import { type Language, schemaErrors } from '@parkline/contract';
import type { FastifySchemaCompiler, RouteOptions } from 'fastify';
import Type, { type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';
import { badFields, type Details, type FieldFault } from './errors.ts';
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

/**
 * The schema, closed at every depth: objects take the keys that they name. One that says itself what else it takes stays as
 * it is, and so do the parts of an intersection, of which none knows the keys of the others.
 */
function closed(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null || 'allOf' in schema) return schema;
  const { properties, patternProperties, items, anyOf } = schema as Readonly<Record<string, unknown>>;
  return copied(schema, {
    ...(properties !== undefined && { properties: eachClosed(properties) }),
    ...(properties !== undefined && !('additionalProperties' in schema) && { additionalProperties: false }),
    ...(patternProperties !== undefined && { patternProperties: eachClosed(patternProperties) }),
    ...(items !== undefined && { items: Array.isArray(items) ? items.map(closed) : closed(items) }),
    ...(Array.isArray(anyOf) && { anyOf: anyOf.map(closed) }),
  });
}

const eachClosed = (parts: unknown): object =>
  Object.fromEntries(Object.entries(parts as object).map(([name, part]) => [name, closed(part)]));

/** By its descriptors: typebox keeps its marks in properties that a spread loses. */
const copied = (schema: object, changes: object): object =>
  Object.create(Object.prototype, {
    ...Object.getOwnPropertyDescriptors(schema),
    ...Object.getOwnPropertyDescriptors(changes),
  }) as object;

/** Checks with typebox itself. Query and parameters are text, so they are converted; a JSON body must be right as it is. */
export const compileValidator: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  const root = httpPart === 'body' ? 'body' : '';
  return (input: unknown) => {
    const value = httpPart === 'body' ? input : fromText(schema, input);
    if (!check.Check(value)) return { error: badFields(faultsOf(schema, root, check.Errors(value))) };
    const unstorable = textsWithNul(value, root);
    if (unstorable.length === 0) return { value };
    return { error: badFields(unstorable.map((field) => ({ field, message: ownWords.nul }))) };
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

/** Whatever of a value is not as its schema says, field by field; `root` is what the value is called, '' for nothing. Pure. */
export const schemaFaults = (schema: TSchema, value: unknown, root: string): FieldFault[] =>
  Value.Check(schema, value) ? [] : faultsOf(schema, root, schemaErrors(schema, value));

type Errors = ReturnType<typeof Value.Errors>;

function faultsOf(schema: TSchema, root: string, errors: Errors): FieldFault[] {
  const faults = new Map<string, LocalText>();
  const outer = new Set<string>();
  for (const error of errors) {
    if (isOfNull(schema, error)) continue;
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
      if (keyword === 'anyOf') outer.add(joined(root, path));
    }
  }
  // Where one of several shapes was nearly met, what it lacks says all: that it is none of them, or not null, is no help.
  for (const path of outer)
    if ([...faults.keys()].some((other) => other.startsWith(`${path}.`))) faults.delete(path);
  return [...faults].map(([field, message]) => ({ field, message }));
}

/** Whether it says no more than that a value is not null, or none of what may also be null: what else it lacks is told beside it. */
function isOfNull(schema: TSchema, { keyword, schemaPath, params }: Errors[number]): boolean {
  if (keyword === 'type') return params.type === 'null' && /\/anyOf\/\d+$/.test(schemaPath);
  if (keyword !== 'anyOf') return false;
  const { anyOf = [] } = (schemaAt(schema, schemaPath) ?? {}) as { anyOf?: readonly { type?: unknown }[] };
  return anyOf.length === 2 && anyOf.some(({ type }) => type === 'null');
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

/** The details of a refusal as its reader reads them: the texts that {@link Details} names in both languages become one. */
export function detailsIn(details: Details, language: Language): unknown {
  if (isList(details))
    return details.map((fault) => ({ ...fault, message: inLanguage(fault.message, language) }));
  const { why, held } = details;
  return {
    ...details,
    ...(typeof why === 'object' && { why: inLanguage(why, language) }),
    ...(held && { held: held.map((one) => ({ ...one, name: inLanguage(one.name, language) })) }),
  };
}

const isList = (details: Details): details is readonly FieldFault[] => Array.isArray(details);

const joined = (...parts: string[]): string => parts.filter(Boolean).join('.') || 'body';
