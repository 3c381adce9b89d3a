import { createHash } from 'node:crypto';
import { loadTemplates } from '@parkline/templates';
import { type Document, isAlias, isScalar, parseDocument, stringify, visit } from 'yaml';
import {
  buses,
  ConnectionError,
  equipment,
  gatewayConfig,
  gatewayConnections,
  secretParams,
} from '../fleet/index.ts';
import { places } from '../places/index.ts';
import type { Db } from '../platform/db.ts';
import { AppError } from '../platform/errors.ts';
import type { Secrets } from '../platform/secrets.ts';

/** Stands in a text where a secret belongs: of a connection its parameter, of a device the hash of its token. */
const MARK = /^\$\{(secret|token-sha256):([^:}]+)(?::([^:}]+))?\}$/;
const HASH = /^[0-9a-f]{64}$/;
const secretMark = (bus: string, name: string): string => `\${secret:${bus}:${name}}`;
const tokenMark = (device: string): string => `\${token-sha256:${device}}`;

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/**
 * Text of gateway.yaml from what the cloud knows of a gateway, with marks in place of secrets.
 * @throws AppError 'unprocessable' saying what is missing.
 */
export async function makeConfig(
  db: Db,
  accountId: string,
  gateway: { readonly id: string; readonly name: { readonly en: string }; readonly buildingId: string },
  natsUrl: string,
): Promise<string> {
  const { devices, points } = await equipment.ofGateway(db, accountId, gateway.id);
  const described = await buses.list(db, accountId, { gateway: gateway.id });
  const timezone = (await places.timezoneOf(db, accountId, gateway.buildingId)) ?? 'UTC';
  const ports = Object.fromEntries(
    described.map(({ key, params, secrets }) => [
      key,
      {
        params: {
          ...params,
          ...Object.fromEntries(secrets.map(({ name }) => [name, secretMark(key, name)])),
        },
      },
    ]),
  );
  const missing = [...new Set(devices.map(({ bus }) => bus))].filter((bus) => !ports[bus]).toSorted();
  if (missing.length > 0)
    throw new AppError('unprocessable', `nobody has said where these buses are: ${missing.join(', ')}`, {
      details: { why: 'no_bus', buses: missing },
    });
  const tokens = Object.fromEntries(devices.map(({ key }) => [key, tokenMark(key)]));
  const pointsOf = Map.groupBy(points, ({ equipmentId }) => equipmentId);
  const configured = {
    ...{ id: gateway.id, name: gateway.name.en, timezone },
    devices: devices.map((device) => ({
      ...device,
      name: device.name.en,
      points: new Map((pointsOf.get(device.id) ?? []).map((point) => [point.key, point])),
    })),
  };
  try {
    const made = gatewayConfig(configured, { ports, tokens, natsUrl, templates: loadTemplates() });
    let yaml = textOf(made);
    // The generator hashes tokens: a mark that was hashed is put back.
    for (const mark of Object.values(tokens)) yaml = yaml.replaceAll(sha256(mark), mark);
    return yaml;
  } catch (cause) {
    if (!(cause instanceof ConnectionError)) throw cause;
    const { message, text: why } = cause;
    throw new AppError('unprocessable', `no configuration can be made: ${message}`, {
      cause,
      details: { why },
    });
  }
}

/**
 * Text of a gateway.yaml, all of it written out. Devices of one model share what their template says: with an alias for each time,
 * a parser takes more than a hundred of them for an attack and reads nothing.
 */
export const textOf = (config: unknown): string =>
  stringify(config, { lineWidth: 0, aliasDuplicateObjects: false });

/** Names of the settings that hold a secret in plain text: whoever may read the configuration would read it. A hash is none. Pure. */
export function plainSecrets(document: Document): string[] {
  const found: string[] = [];
  visit(document, {
    Pair(_key, { key, value }) {
      const name = isAlias(key) ? key.resolve(document) : key;
      if (!isScalar(name) || !secretParams.test(String(name.value))) return;
      const text = isScalar(value) ? value.value : '*';
      const isHarmless = text === null || (typeof text === 'string' && (MARK.test(text) || HASH.test(text)));
      if (!isHarmless) found.push(String(name.value));
    },
  });
  return found;
}

/**
 * Puts secrets where the marks are: for the signer alone, right before it signs.
 * @throws Error naming a secret that is not kept; AppError 'unavailable' when one does not open.
 */
export async function fillSecrets(
  db: Db,
  secrets: Secrets,
  {
    accountId,
    gatewayId,
    yaml,
  }: { readonly accountId: string; readonly gatewayId: string; readonly yaml: string },
): Promise<string> {
  if (!yaml.includes('${')) return yaml;
  const { ports, tokens } = await gatewayConnections(db, secrets, accountId, gatewayId);
  const valueOf = (kind: string, of: string, name: string | undefined): string => {
    const port = ports[of];
    const params = port && 'params' in port ? port.params : {};
    const found = kind === 'secret' ? params[name ?? ''] : tokens[of];
    if (typeof found !== 'string') throw new Error(`no secret ${name ?? 'token'} is kept for ${of}`);
    return kind === 'secret' ? found : sha256(found);
  };
  const document = parseDocument(yaml);
  visit(document, {
    Scalar(_key, node) {
      const mark = isScalar(node) && typeof node.value === 'string' ? MARK.exec(node.value) : null;
      if (!mark) return;
      node.value = valueOf(mark[1] ?? '', mark[2] ?? '', mark[3]);
      node.type = 'QUOTE_DOUBLE';
    },
  });
  return document.toString({ lineWidth: 0 });
}
