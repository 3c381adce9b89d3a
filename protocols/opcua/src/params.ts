import { checkParams, DriverError, parseParams, type Static, Type } from '@parkline/kit';
import { parseAddress } from './address.ts';
import { normalFingerprint } from './trust.ts';

/** A file in a folder, not a way out of it. */
const FILE = '^[^/\\\\]*[^/\\\\.][^/\\\\]*$';

export const ConnectionParams = Type.Object(
  {
    /** opc.tcp://host:port/path of the server. */
    endpointUrl: Type.String({ pattern: '^opc\\.tcp://[^\\s]+$' }),
    securityPolicy: Type.Union(
      [
        Type.Literal('Basic256Sha256'),
        Type.Literal('Aes128_Sha256_RsaOaep'),
        Type.Literal('Aes256_Sha256_RsaPss'),
        Type.Literal('None'),
      ],
      { default: 'Basic256Sha256' },
    ),
    securityMode: Type.Union([Type.Literal('SignAndEncrypt'), Type.Literal('Sign'), Type.Literal('None')], {
      default: 'SignAndEncrypt',
    }),
    /** SHA-256 of the server's certificate, hex, with or without colons. No other server is spoken to. */
    serverFingerprint: Type.Optional(Type.String()),
    /** Speak without signature, encryption and proof of who the server is. Needed for security None, and logged. */
    waiveSecurity: Type.Boolean({ default: false }),
    user: Type.Optional(Type.String({ minLength: 1 })),
    password: Type.Optional(Type.String()),
    /** A person's certificate and its key, PEM, in place of a name: file names in the connection's folder on the gateway. */
    userCertificate: Type.Optional(Type.String({ pattern: FILE })),
    userKey: Type.Optional(Type.String({ pattern: FILE })),
    /** Namespace in which the roots and the names below them are. */
    namespace: Type.String({ minLength: 1, default: 'urn:parkline:sim' }),
    /** For each answer; a connection, which takes several, gets three times as long. */
    timeoutMs: Type.Integer({ minimum: 100, maximum: 60_000, default: 5_000 }),
    /** How often the server looks at a subscribed variable. */
    samplingMs: Type.Integer({ minimum: 0, maximum: 3_600_000, default: 250 }),
    /** How often it sends what it found. */
    publishingMs: Type.Integer({ minimum: 50, maximum: 60_000, default: 500 }),
    /** Changes of one variable that it keeps until it sends them: enough for the longest break that is mended. */
    queueSize: Type.Integer({ minimum: 1, maximum: 10_000, default: 300 }),
  },
  { additionalProperties: false },
);
export type ConnectionParams = Static<typeof ConnectionParams>;

export const DeviceParams = Type.Object(
  {
    /**
     * String node id of the device's object, whose variables are called `<root>.<name>`, or a whole node id
     * (`nsu=<uri>;i=<id>`). The whole server when absent.
     */
    root: Type.Optional(Type.String({ minLength: 1 })),
    /** In place of the connection's. */
    namespace: Type.Optional(Type.String({ minLength: 1 })),
  },
  { additionalProperties: false },
);
export type DeviceParams = Static<typeof DeviceParams>;

/** @throws DriverError 'config' naming every bad field. */
export const parseConnectionParams = (params: unknown): ConnectionParams => {
  const where = 'opcua connection';
  const value = parseParams(ConnectionParams, params, where);
  const faults = meaningFaults(value);
  if (faults.length > 0) throw new DriverError('config', faults.join('; '), where);
  return value;
};

/** What the schema cannot say: nothing goes unprotected by accident. */
function meaningFaults(params: ConnectionParams): string[] {
  const { securityMode, securityPolicy, serverFingerprint, waiveSecurity, user, password } = params;
  const { userCertificate, userKey } = params;
  const faults: string[] = [];
  const isBare = securityMode === 'None';
  if (isBare !== (securityPolicy === 'None'))
    faults.push(
      `securityMode ${securityMode} does not go with securityPolicy ${securityPolicy}: set both to None or neither`,
    );
  else if (isBare && !waiveSecurity)
    faults.push(
      'security None lets anybody on the network read along and answer in the name of the server: use Basic256Sha256 and SignAndEncrypt, or set waiveSecurity to true',
    );
  if (isBare && password !== undefined) faults.push('a password is not sent without encryption');
  if ((user === undefined) !== (password === undefined))
    faults.push('user and password come together or not at all');
  if ((userCertificate === undefined) !== (userKey === undefined))
    faults.push('userCertificate and userKey come together or not at all');
  if (user !== undefined && userCertificate !== undefined)
    faults.push('a login has either user and password or userCertificate and userKey, not both');
  if (serverFingerprint !== undefined && normalFingerprint(serverFingerprint) === undefined)
    faults.push('serverFingerprint is not a SHA-256 of 64 hex digits');
  return faults;
}

/** @throws DriverError 'config' naming every bad field. */
export const parseDeviceParams = (params: unknown): DeviceParams => {
  const given = checkParams(DeviceParams, params, 'opcua device');
  if (given.root !== undefined) parseAddress(given.root); // A root that looks like a node id must be one.
  return given;
};
