import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DriverError } from '@parkline/kit';
import type { UserIdentityInfo } from 'node-opcua-client';
import type { Library } from './convert.ts';
import type { ConnectionParams } from './params.ts';

export interface LoginDeps {
  readonly params: Pick<ConnectionParams, 'user' | 'password' | 'userCertificate' | 'userKey'>;
  /** The connection's folder on the gateway. */
  readonly dataDir: string;
  readonly where: string;
}

/** UserTokenType of OPC 10000-4 clause 7.41. */
const token = { userName: 1, certificate: 2 } as const;

/**
 * Who wants to come in; undefined: anybody.
 * @throws DriverError 'config' naming the file that is missing or is no certificate or key, or does not go with the other.
 */
export async function loginOf(
  { params, dataDir, where }: LoginDeps,
  { crypto_utils }: Pick<Library, 'crypto_utils'>,
): Promise<UserIdentityInfo | undefined> {
  const { user, password = '', userCertificate, userKey } = params;
  if (user !== undefined) return { type: token.userName, userName: user, password } as UserIdentityInfo;
  if (userCertificate === undefined || userKey === undefined) return undefined;
  const certificate = await parsed(
    join(dataDir, userCertificate),
    where,
    (text) => new X509Certificate(text),
  );
  const path = join(dataDir, userKey);
  const key = await parsed(path, where, (text) => createPrivateKey(text));
  if (!certificate.checkPrivateKey(key))
    throw new DriverError('config', `${path} is not the key of the certificate ${userCertificate}`, where);
  const pem = key.export({ type: 'pkcs8', format: 'pem' }).toString();
  return {
    type: token.certificate,
    certificateData: certificate.raw,
    keyOperations: crypto_utils.keyOperationsFromPrivateKey(crypto_utils.makePrivateKeyFromPem(pem)),
  } as UserIdentityInfo;
}

async function parsed<T>(path: string, where: string, parse: (text: string) => T): Promise<T> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new DriverError('config', `${path} cannot be read: put the file there`, where, { cause });
  }
  try {
    return parse(text);
  } catch (cause) {
    throw new DriverError('config', `${path} is no certificate or key in PEM`, where, { cause });
  }
}
