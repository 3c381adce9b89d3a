import pino, { type DestinationStream, type Logger } from 'pino';
import { redactLine } from './redact.ts';

/** JSON lines on standard output. Secrets are cut out of the finished line: by name at any depth, and by their looks. */
export const createLog = (level: string, destination?: DestinationStream): Logger =>
  pino({ level, hooks: { streamWrite: redactLine } }, destination ?? pino.destination(1));
