import { createHash } from 'node:crypto';

/** A part of a program, as a bill of materials names it. */
export interface Part {
  readonly name: string;
  readonly version: string;
  /** SPDX expression; absent where the package says none. */
  readonly licence: string | undefined;
  /** `sha512-<base64>`, as the lock file has it; absent where the part is our own. */
  readonly integrity: string | undefined;
}

/** Package URL of an npm package (purl specification, type npm): the @ of a scope is written %40. */
export const purl = (name: string, version: string): string =>
  `pkg:npm/${name.replace(/^@/, '%40')}@${version}`;

/** A CycloneDX 1.5 document of one program and what is in it, in order. The same parts give the same bytes: it names no time. */
export function billOfMaterials(name: string, version: string, parts: readonly Part[]): string {
  const components = [...new Map(parts.map((part) => [purl(part.name, part.version), part]))]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([id, part]) => ({
      ...{ 'bom-ref': id, type: 'library', name: part.name, version: part.version, purl: id },
      ...(part.licence === undefined ? {} : { licenses: [licenceOf(part.licence)] }),
      ...(part.integrity === undefined ? {} : { hashes: [hashOf(part.integrity)] }),
    }));
  const ref = `${name}@${version}`;
  const document = {
    ...{
      $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
      bomFormat: 'CycloneDX',
      specVersion: '1.5',
    },
    ...{ version: 1, metadata: { component: { 'bom-ref': ref, type: 'application', name, version } } },
    components,
  };
  return withNumber(document);
}

const licenceOf = (licence: string): object =>
  / |\(/.test(licence) ? { expression: licence } : { license: { id: licence } };

const hashOf = (integrity: string): object => ({
  alg: 'SHA-512',
  content: Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex'),
});

/** The document with a serial number made from what it says (RFC 9562 version 8), and without the time it was made. */
export function withNumber(document: Readonly<Record<string, unknown>>): string {
  const { serialNumber: _number, metadata, ...rest } = document;
  const { timestamp: _time, ...facts } = metadata as Record<string, unknown>;
  const said = { ...rest, metadata: facts };
  const hex = createHash('sha256').update(JSON.stringify(said)).digest('hex');
  const variant = ((parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  const uuid = [
    ...[hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`],
    ...[`${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)],
  ].join('-');
  return `${JSON.stringify({ ...said, serialNumber: `urn:uuid:${uuid}` }, null, 2)}\n`;
}
