import { type Static, Type } from 'typebox';

/** Every key of the environment that the cloud reads, with its meaning and its default. `config.ts` reads them. */
export const Env = Type.Object({
  ROLE: Type.String({
    default: 'api,ingest,worker',
    pattern: '^(api|ingest|worker|provisioner)(,(api|ingest|worker|provisioner))*$',
    description: 'What this process runs: a comma list of api, ingest, worker; or provisioner, alone.',
  }),
  MODE: Type.Union([Type.Literal('development'), Type.Literal('production')], {
    default: 'development',
    description: 'production refuses to start without TLS to people, message server and database.',
  }),
  DATABASE_URL: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://',
      description: 'PostgreSQL, as the owner of the schema: migrations and the command line only.',
    }),
  ),
  API_DATABASE_URL: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://',
      description:
        'Login that is a member of parkline_app. Default: DATABASE_URL with the role set at connect.',
    }),
  ),
  INGEST_DATABASE_URL: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://',
      description:
        'Login that is a member of parkline_ingest. Default: DATABASE_URL with the role set at connect.',
    }),
  ),
  WORKER_DATABASE_URL: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://',
      description:
        'Login that is a member of parkline_worker. Default: DATABASE_URL with the role set at connect.',
    }),
  ),
  PROVISIONER_DATABASE_URL: Type.Optional(
    Type.String({
      pattern: '^postgres(ql)?://',
      description:
        'Login that is a member of parkline_provisioner. Default: DATABASE_URL with the role set at connect.',
    }),
  ),
  DATABASE_POOL: Type.Integer({
    default: 10,
    minimum: 1,
    maximum: 200,
    description: 'Database connections of each role in this process.',
  }),
  NATS_URL: Type.String({
    default: 'nats://127.0.0.1:4222',
    pattern: '^(nats|tls)://',
    description:
      'Message server; a comma list names the servers of a cluster. tls:// needs the three files below.',
  }),
  NATS_CREDS_DIR: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Folder with <user>.creds for each user of this process: api, ingest, responder, commands.',
    }),
  ),
  NATS_SEED_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Instead of NATS_CREDS_DIR, for a server not in operator mode: nkey seed of its CORE user.',
    }),
  ),
  NATS_REPLICAS: Type.Union([Type.Literal(1), Type.Literal(3)], {
    default: 1,
    description: 'Servers that hold each message: 1, or 3 with a cluster.',
  }),
  NATS_CA_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Authority of the message server (PEM); no other is believed.',
    }),
  ),
  NATS_CERT_FILE: Type.Optional(
    Type.String({ minLength: 1, description: 'Client certificate of this process (PEM).' }),
  ),
  NATS_KEY_FILE: Type.Optional(
    Type.String({ minLength: 1, description: 'Key of NATS_CERT_FILE (PKCS8 PEM).' }),
  ),
  GATEWAY_NATS_URL: Type.Optional(
    Type.String({
      pattern: '^(nats|tls)://',
      description: 'Message server as gateways reach it; told to each that is claimed. Default: NATS_URL.',
    }),
  ),
  PROVISIONER_DIR: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Folder with the keys that let gateways in. For the provisioner, and readable by it alone.',
    }),
  ),
  CLOUD_KEY_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Ed25519 private key (PKCS8 PEM) that signs receipts. Needed by ingest.',
    }),
  ),
  RELEASE_PUBLIC_KEY_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        "Public keys (PEM) of those who sign releases of the gateways' program: others are refused when they are uploaded.",
    }),
  ),
  HOST: Type.String({ default: '127.0.0.1', minLength: 1 }),
  PORT: Type.Integer({
    default: 8080,
    minimum: 0,
    maximum: 65_535,
    description: 'TCP port of the API; 0 picks a free one.',
  }),
  METRICS_PORT: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: 65_535,
      description: 'Port of /healthz, /readyz and /metrics in a process without api. Absent: none.',
    }),
  ),
  PUBLIC_URL: Type.Optional(
    Type.String({
      pattern: '^https?://[^/]+/?$',
      description: 'Address that people type. With https cookies become Secure and HSTS is sent.',
    }),
  ),
  TRUST_PROXY: Type.Boolean({
    default: false,
    description: 'Believe the last X-Forwarded-For, and -Proto. Only behind one proxy that sets them.',
  }),
  PORTAL_DIR: Type.Optional(
    Type.String({
      minLength: 1,
      description: 'Static build of the portal. Without it only the API is served.',
    }),
  ),
  SECRETS_KEY_FILE: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'File with the keys that seal secrets in the database (parkline secrets add-key). Without it none can be kept.',
    }),
  ),
  MAIL_URL: Type.Optional(
    Type.String({
      pattern: '^smtps?://[^/]+/?$',
      description: 'Mail server, smtp://user:password@host:587 or smtps://. Without it mails become files.',
    }),
  ),
  MAIL_FROM: Type.String({
    default: 'parkline@localhost',
    pattern: '^[^\\s@<>,;:"()\\\\]+@[^\\s@<>,;:"()\\\\]+$',
    description: 'Mail address that mails come from.',
  }),
  MAIL_DIR: Type.String({
    default: '.parkline/mails',
    minLength: 1,
    description: 'Folder for mails where no mail server is named. They hold links that let people in.',
  }),
  SETUP_TOKEN_SHA256: Type.Optional(
    Type.String({
      pattern: '^[0-9a-f]{64}$',
      description: 'SHA-256 (hex) of the one-time token that makes the first administrator of an empty park.',
    }),
  ),
  SESSION_IDLE_MIN: Type.Number({
    default: 30,
    exclusiveMinimum: 0,
    description: "Minutes without a request that end a session of the operator's own people.",
  }),
  SESSION_TENANT_IDLE_MIN: Type.Number({
    default: 720,
    exclusiveMinimum: 0,
    description: "Minutes without a request that end a session of a tenant's people.",
  }),
  SESSION_MAX_DAYS: Type.Number({
    default: 7,
    exclusiveMinimum: 0,
    description: 'Days after which a session ends whatever it does.',
  }),
  SECOND_FACTOR: Type.Union([Type.Literal('required'), Type.Literal('when_enrolled')], {
    default: 'required',
    description:
      'required: whoever administers, commands or bills has to enrol one. when_enrolled, only where HOST is this machine: asked of who has one.',
  }),
  AUDIT_KEEP_DAYS: Type.Integer({
    default: 1_095,
    minimum: 183,
    description: 'Days after which entries of the audit are dropped.',
  }),
  GATEWAY_REPORTS_KEEP_DAYS: Type.Integer({
    default: 730,
    minimum: 1,
    description: 'Days after which what gateways reported beside their readings is dropped.',
  }),
  API_RATE_PER_S: Type.Integer({
    default: 100,
    minimum: 1,
    description: 'API requests a second and account; above it 429.',
  }),
  OIDC_ALLOW_HOSTS: Type.Optional(
    Type.String({
      pattern: '^[^\\s,/]+(,[^\\s,/]+)*$',
      description:
        'Hosts of identity providers that are not at a public address, a comma list of names or addresses without ports.',
    }),
  ),
  WEBHOOK_ALLOW_PRIVATE: Type.Boolean({
    default: false,
    description:
      'For development only: webhooks may go to this machine and its networks, and over plain http.',
  }),
  PARKLINE_FAILPOINT: Type.Optional(
    Type.String({
      description: 'For the fault suite only: name:crash@n ends the process at the n-th passage of a place.',
    }),
  ),
  LOG_LEVEL: Type.Union(
    (['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const).map((level) =>
      Type.Literal(level),
    ),
    { default: 'info' },
  ),
});
export type Env = Static<typeof Env>;

/** `.env.example`, one entry per key: its meaning, and its default or an empty value. */
export function envExample(): string {
  const entries = Object.entries(Env.properties).map(([key, schema]) => {
    const { description, default: preset } = schema as { description?: string; default?: unknown };
    const line = preset === undefined ? `# ${key}=` : `${key}=${String(preset)}`;
    return description ? `# ${description}\n${line}` : line;
  });
  return `# Made from cloud/src/platform/env.ts; a test keeps it current.\n\n${entries.join('\n\n')}\n`;
}
