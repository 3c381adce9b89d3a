const NUMBER = Symbol('json number');

/** A JSON number as its own text: 0.10 stays the decimal 0.10 instead of becoming the nearest double. */
export interface JsonNumber {
  readonly [NUMBER]: string;
}

export type Json = string | boolean | null | JsonNumber | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** Parses JSON without ever reading a number as a float. @throws SyntaxError as JSON.parse does. */
export function parseJson(text: string): Json {
  // TypeScript's library does not know the third argument of a reviver yet (ES2025 source text access).
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? { [NUMBER]: context?.source ?? '' } : value;
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown) as Json;
}

export function numberText(value: Json): string | undefined {
  return typeof value === 'object' && value !== null && NUMBER in value
    ? (value as JsonNumber)[NUMBER]
    : undefined;
}

export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(NUMBER in value);
}
