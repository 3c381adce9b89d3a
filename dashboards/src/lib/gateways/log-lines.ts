/** How grave a line is; `debug` holds everything below `info`. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

/** A line of a gateway's log, as pino writes it. */
export interface LogLine {
  readonly id: string;
  readonly level: LogLevel;
  /** Unix ms; undefined where the line does not say. */
  readonly at: number | undefined;
  /** What part of the gateway wrote it; '' where the line does not say. */
  readonly module: string;
  readonly message: string;
  /** Everything else that it says. */
  readonly fields: readonly (readonly [name: string, value: string])[];
}

/** Numbers of pino: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
const levelOf = (level: unknown): LogLevel =>
  typeof level !== 'number' || level < 30 ? 'debug' : level < 40 ? 'info' : level < 50 ? 'warn' : 'error';

/** The first of these that a line has says which part wrote it. */
const modules = ['component', 'module', 'driver', 'process'] as const;
/** Every line of one gateway has the same. */
const known = new Set<string>(['level', 'time', 'msg', 'pid', 'hostname', 'gatewayId', 'process']);

/** A line that is no JSON (of a program that broke, say) is shown as it is, as an error. Pure. */
export function readLogLine(text: string, index: number): LogLine {
  const id = String(index);
  const said = jsonOf(text);
  if (!said) return { id, level: 'error', at: undefined, module: '', message: text, fields: [] };
  const module = modules.find((name) => typeof said[name] === 'string');
  return {
    ...{ id, level: levelOf(said['level']), message: wordsOf(said['msg'] ?? '') },
    at: typeof said['time'] === 'number' ? said['time'] : undefined,
    module: module ? wordsOf(said[module]) : '',
    fields: Object.entries(said)
      .filter(([name]) => name !== module && !known.has(name))
      .map(([name, value]) => [name, wordsOf(value)]),
  };
}

/** Newest first, of a level or a graver one. Pure. */
export const readLog = (lines: readonly string[], least: LogLevel): LogLine[] =>
  lines
    .map(readLogLine)
    .filter(({ level }) => logLevels.indexOf(level) >= logLevels.indexOf(least))
    .toReversed();

function jsonOf(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null && !Array.isArray(found)
      ? (found as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined; // Not JSON.
  }
}

const wordsOf = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value, null, 1);
