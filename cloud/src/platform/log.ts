import pino, { type DestinationStream, type Logger } from 'pino';

/** Fields that hold secrets wherever they turn up one or two levels deep. */
const secret = ['password', 'token', 'cookie', 'authorization', 'seed'];

/** JSON lines on standard output. Secrets are cut out by name. */
export const createLog = (level: string, destination?: DestinationStream): Logger =>
  pino(
    {
      level,
      redact: {
        paths: secret.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]),
        censor: '[secret]',
      },
    },
    destination ?? pino.destination(1),
  );
