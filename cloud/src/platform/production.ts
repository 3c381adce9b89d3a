/** Addresses that a process uses, as its configuration names them. */
export interface Addresses {
  readonly PUBLIC_URL?: string;
  readonly NATS_URL: string;
  readonly NATS_CA_FILE?: string;
  readonly NATS_CERT_FILE?: string;
  readonly NATS_KEY_FILE?: string;
  /** Databases by the name of their key. */
  readonly databases: Readonly<Record<string, string>>;
}

/** What would send passwords, readings or commands in the clear, or to whoever answers: one line for each. Pure. */
export function productionFaults(roles: ReadonlySet<string>, addresses: Addresses): string[] {
  const { PUBLIC_URL, databases } = addresses;
  const faults: string[] = [];
  if (roles.has('api') && !PUBLIC_URL?.startsWith('https://'))
    faults.push('PUBLIC_URL must begin with https:// in production: a proxy in front of the API ends TLS');
  // Jobs and rules talk to the database only.
  if ([...roles].some((role) => role !== 'worker')) faults.push(...messageFaults(addresses));
  for (const [key, url] of Object.entries(databases)) faults.push(...databaseFaults(key, url));
  return faults;
}

function messageFaults(addresses: Addresses): string[] {
  const faults = (['NATS_CA_FILE', 'NATS_CERT_FILE', 'NATS_KEY_FILE'] as const)
    .filter((key) => !addresses[key])
    .map((key) => `${key} must be set in production`);
  if (!addresses.NATS_URL.split(',').every((url) => url.startsWith('tls://')))
    faults.push('NATS_URL must begin with tls:// in production');
  return faults;
}

/** Of the modes of PostgreSQL only this one looks at whom it talks to. The address stays out of the message: it holds a password. */
function databaseFaults(key: string, url: string): string[] {
  const mode = URL.parse(url)?.searchParams.getAll('sslmode') ?? [];
  return mode.length === 1 && mode[0] === 'verify-full'
    ? []
    : [
        `${key} must say sslmode=verify-full in production (and sslrootcert=<file> for an authority of your own)`,
      ];
}
