// What somebody tries first at the doors of a machine: the names and passwords that products come with.
import { connect } from '@nats-io/transport-node';
import { Client } from 'pg';

const words = ['', 'admin', 'password', 'parkline', '123456', 'changeme'];
const pairs = (names: readonly string[]) =>
  names.flatMap((name) => [name, ...words].map((password) => ({ name, password })));

/** Of people, of database roles and of the message server's users; of one person no more than are free before a login is locked. */
const people = [
  ...['admin', 'root', 'parkline', 'demo', 'first', 'test'].map((name) => ({ name, password: name })),
  ...['admin', 'root'].flatMap((name) =>
    ['password', 'parkline', '12345678', 'changeme'].map((password) => ({
      name,
      password,
    })),
  ),
];
const databaseRoles = pairs(['postgres', 'root', 'parkline', 'parkline_app', 'parkline_worker']);
const messageUsers = [undefined, ...pairs(['nats', 'admin', 'sys', 'parkline'])];

/** What lets in, in words: 'database postgres/admin'. */
export interface Doors {
  readonly url: string;
  readonly database: string;
  readonly nats: string;
}

/** Tries every usual name and password at every door of a park. @returns those that let in, and how many were tried. */
export async function scanForCredentials({ url, database, nats }: Doors) {
  const tries = [
    ...people.map((one) => ['portal', one, () => entersPortal(url, one)] as const),
    ...databaseRoles.map((one) => ['database', one, () => entersDatabase(database, one)] as const),
    ...messageUsers.map((one) => ['messages', one, () => entersMessages(nats, one)] as const),
  ];
  const working: string[] = [];
  for (let at = 0; at < tries.length; at += 8)
    await Promise.all(
      tries.slice(at, at + 8).map(async ([door, one, enters]) => {
        if (await enters()) working.push(`${door} ${one ? `${one.name}/${one.password}` : 'as nobody'}`);
      }),
    );
  return { working, tried: tries.length };
}

export interface Credential {
  readonly name: string;
  readonly password: string;
}

/** @throws where the portal answers neither yes nor no. */
export async function entersPortal(url: string, { name, password }: Credential): Promise<boolean> {
  const reply = await fetch(`${url}/api/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ login: name, password: password || ' ' }),
  });
  if (reply.ok || reply.status === 401) return reply.ok;
  throw new Error(`the portal answered ${reply.status} to a login`);
}

/** @throws where the database does not refuse for the name or the password. */
export async function entersDatabase(address: string, { name, password }: Credential): Promise<boolean> {
  const { hostname: host, port, pathname } = new URL(address);
  const client = new Client({
    ...{ host, port: Number(port), database: pathname.slice(1), user: name },
    password: () => password,
    connectionTimeoutMillis: 20_000,
  });
  try {
    await client.connect();
    return true;
  } catch (error) {
    // invalid_password, invalid_authorization_specification (PostgreSQL, appendix A); no password at all pg refuses itself.
    const { code, message } = error as { code?: string; message: string };
    if (code === '28P01' || code === '28000' || /client password must be/.test(message)) return false;
    throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** As nobody where no credential is given. @throws where the server does not refuse for it. */
export async function entersMessages(servers: string, one: Credential | undefined): Promise<boolean> {
  try {
    const nats = await connect({
      ...{ servers, reconnect: false, timeout: 20_000 },
      ...(one && { user: one.name, pass: one.password }),
    });
    await nats.close();
    return true;
  } catch (error) {
    if (/authorization violation/i.test(String(error))) return false;
    throw error;
  }
}
