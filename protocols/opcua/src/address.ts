import { DriverError } from '@parkline/kit';

/** Where a variable is: below the device's root, or anywhere in the server. */
export type Address =
  | { readonly kind: 'relative'; readonly name: string }
  | {
      readonly kind: 'absolute';
      /** Index, which a server may hand out anew at each start, or the uri it stands for. */
      readonly namespace: number | string;
      /** `i=`, `s=`, `g=` or `b=` and the rest, as in OPC 10000-6 clause 5.3.1.10. */
      readonly id: string;
    };

/** The device's place in the server. */
export interface Root {
  /** String part of the node id of its object, or a whole node id; the whole server (its Objects folder) when undefined. */
  readonly root: string | undefined;
  /** Of names, and of a root that is no whole node id. */
  readonly namespaceUri: string;
}

const absolute = /^(?:ns=(?<index>\d{1,5});|nsu=(?<uri>[^;]+);)?(?<id>[isgb]=.+)$/s;
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/**
 * Reads `Position` (below the root), `ns=2;s=Line.Flow`, `nsu=urn:maker;i=1001` or `i=2258`.
 * @throws DriverError 'config' that says what is wrong and what would be right.
 */
export function parseAddress(text: string): Address {
  const fail = (what: string): never => {
    throw new DriverError(
      'config',
      `${what} in address '${text}'; write a name below the device's root, 'ns=<index>;s=<id>' or 'nsu=<uri>;s=<id>'`,
      'opcua address',
    );
  };
  if (text === '') return fail('nothing');
  const parts = absolute.exec(text)?.groups;
  if (!parts) return /^nsu?=/.test(text) ? fail('no node id') : { kind: 'relative', name: text };
  const { index, uri, id = '' } = parts;
  const value = id.slice(2);
  if (id.startsWith('i=') && !(/^\d+$/.test(value) && Number(value) <= 0xffff_ffff))
    return fail(`'${value}' is not a number 0..4294967295`);
  if (id.startsWith('g=') && !guid.test(value)) return fail(`'${value}' is not a GUID`);
  if (Number(index ?? 0) > 0xffff) return fail(`'${index}' is not a namespace index 0..65535`);
  return { kind: 'absolute', namespace: uri ?? Number(index ?? 0), id };
}

/**
 * The node id in the words of a server that knows `namespaces`, in that order.
 * @returns undefined when the server has no such namespace.
 */
export function nodeIdOf(address: Address, root: Root, namespaces: readonly string[]): string | undefined {
  if (address.kind === 'absolute') return inNamespace(address.namespace, address.id, namespaces);
  const { namespace, prefix } = below(root);
  return inNamespace(namespace, `${prefix}${address.name}`, namespaces);
}

/** ObjectsFolder, OPC 10000-6 annex A. */
const OBJECTS = 'ns=0;i=85';

/** The node id of the device's own object. */
export function rootNodeId({ root, namespaceUri }: Root, namespaces: readonly string[]): string | undefined {
  if (root === undefined) return OBJECTS;
  const given = wholeNodeId(root);
  if (given) return inNamespace(given.namespace, given.id, namespaces);
  return inNamespace(namespaceUri, `s=${root}`, namespaces);
}

/** What a name below the root is put behind. Where the root's id is no text, a name is an id of its own. */
function below({ root, namespaceUri }: Root): { namespace: number | string; prefix: string } {
  if (root === undefined) return { namespace: namespaceUri, prefix: 's=' };
  const given = wholeNodeId(root);
  if (!given) return { namespace: namespaceUri, prefix: `s=${root}.` };
  return given.id.startsWith('s=')
    ? { namespace: given.namespace, prefix: `${given.id}.` }
    : { namespace: namespaceUri, prefix: 's=' };
}

function wholeNodeId(text: string): (Address & { kind: 'absolute' }) | undefined {
  const address = parseAddress(text);
  return address.kind === 'absolute' ? address : undefined;
}

function inNamespace(
  namespace: number | string,
  id: string,
  namespaces: readonly string[],
): string | undefined {
  const index = typeof namespace === 'number' ? namespace : namespaces.indexOf(namespace);
  return index < 0 ? undefined : `ns=${index};${id}`;
}

/** The shortest address of a node that a browse found: relative where it is below the root, else with its uri. */
export function addressOf(
  { namespace, id }: { readonly namespace: number; readonly id: string },
  root: Root,
  namespaces: readonly string[],
): string {
  const uri = namespaces[namespace];
  const { namespace: own, prefix } = below(root);
  const name = id.slice(prefix.length);
  const isBelow = own === uri || own === namespace;
  // A name that reads like a node id must not be mistaken for one.
  if (isBelow && id.startsWith(prefix) && name !== '' && !/^(nsu?|[isgb])=/.test(name)) return name;
  return uri === undefined ? `ns=${namespace};${id}` : `nsu=${uri};${id}`;
}
