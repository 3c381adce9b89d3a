import { Parser, type Quad, type Term } from 'n3';
import type { Fault } from './point.ts';

/** A Turtle file as nodes with their properties, both ways. */
export interface Graph {
  readonly nodes: ReadonlyMap<string, Node>;
  /** Line where the file first speaks of a node as a subject; 1 where it cannot be told. */
  rowOf(id: string): number;
}

export interface Node {
  readonly id: string;
  readonly isBlank: boolean;
  /** Values by the local name of the property. */
  readonly out: ReadonlyMap<string, readonly Term[]>;
  /** Ids of the nodes that point here, by the local name of the property. */
  readonly in: ReadonlyMap<string, readonly string[]>;
}

/** What stands behind the last # or / (or the last : of a urn). */
export const localName = (iri: string): string => /[^#/:]*$/.exec(iri.replace(/[#/]$/, ''))?.[0] ?? iri;

/** Characters of a Turtle file: its graph takes some fifty times as much memory. */
const MAX_TURTLE = 32_000_000;

/** Parses Turtle. @returns the graph, or the fault with the line where the text breaks. */
export function readGraph(text: string): Graph | { fault: Fault } {
  if (text.length > MAX_TURTLE) {
    const message = `is longer than ${MAX_TURTLE} characters: import it in pieces`;
    return { fault: { row: 0, field: 'file', message } };
  }
  let quads: Quad[];
  try {
    quads = new Parser({ format: 'text/turtle', baseIRI: 'urn:file:' }).parse(text);
  } catch (cause) {
    const { message, context } = cause as Error & { context?: { line?: number } };
    const row = context?.line ?? Number(/on line (\d+)/.exec(message)?.[1] ?? 1);
    const what = message.replace(/ on line \d+\.?$/, '').slice(0, 200);
    return { fault: { row, field: 'turtle', message: `is not Turtle: ${what}` } };
  }
  const nodes = new Map<
    string,
    { id: string; isBlank: boolean; out: Map<string, Term[]>; in: Map<string, string[]> }
  >();
  const nodeOf = (term: Term): ReturnType<typeof nodes.get> & object => {
    let node = nodes.get(term.value);
    if (!node) {
      node = { id: term.value, isBlank: term.termType === 'BlankNode', out: new Map(), in: new Map() };
      nodes.set(term.value, node);
    }
    return node;
  };
  for (const { subject, predicate, object } of quads) {
    const name = localName(predicate.value);
    push(nodeOf(subject).out, name, object as Term);
    if (object.termType !== 'Literal') push(nodeOf(object as Term).in, name, subject.value);
  }
  const rows = rowsOf(text);
  return { nodes, rowOf: (id) => rows.get(localName(id)) ?? 1 };
}

function push<T>(map: Map<string, T[]>, name: string, value: T): void {
  const values = map.get(name);
  if (values) values.push(value);
  else map.set(name, [value]);
}

/** First line that begins with a name, by its local part: Turtle is written subject first. */
function rowsOf(text: string): ReadonlyMap<string, number> {
  const rows = new Map<string, number>();
  text.split('\n').forEach((line, at) => {
    const subject = /^\s{0,3}(?:<([^>]+)>|[\w.-]*:([^\s;,.]+))\s/.exec(`${line} `);
    const name = subject && localName(subject[1] ?? subject[2] ?? '');
    if (name && !rows.has(name)) rows.set(name, at + 1);
  });
  return rows;
}
