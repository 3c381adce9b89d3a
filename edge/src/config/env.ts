import { schemaErrors } from '@parkline/contract';
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { ConfigError } from './load.ts';

const Env = Type.Object({
  /** Wins over gateway.yaml. */
  NATS_URL: Type.Optional(Type.String({ pattern: '^(nats|tls)://' })),
  LOG_LEVEL: Type.String({ default: 'info', pattern: '^(fatal|error|warn|info|debug|trace|silent)$' }),
  /** Folder of the two slots; the launcher sets it. */
  PARKLINE_PROGRAM: Type.Optional(Type.String({ minLength: 1 })),
  /** For the fault suite: `name:crash@n`. */
  PARKLINE_FAILPOINT: Type.Optional(Type.String()),
});
export type Env = Static<typeof Env>;

/** Reads the environment once, at start. Empty means not set. @throws ConfigError listing every bad variable. */
export function readEnv(env: NodeJS.ProcessEnv): Env {
  const known = Object.keys(Env.properties).flatMap((key) => (env[key] ? [[key, env[key]]] : []));
  const value = Value.Default(Env, Object.fromEntries(known));
  if (Value.Check(Env, value)) return value;
  throw new ConfigError(
    schemaErrors(Env, value).map(({ instancePath, message }) => `env${instancePath} ${message}`),
  );
}
