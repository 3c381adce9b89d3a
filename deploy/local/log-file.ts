import { createWriteStream, type WriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';

/** Appends to a file and keeps it, and the few before it, below a size. */
export interface LogFile {
  write(text: string): void;
  /** The last lines written, for a message about a process that ended. */
  tail(): string;
  close(): Promise<void>;
}

interface LogOptions {
  readonly maxBytes: number;
  /** Older files that are kept as `file.1` (newest) and so on. */
  readonly keep: number;
}

const tailLines = 15;

/** A write error (a full disk) ends the logging into this file and never the process that logs. */
export async function openLog(file: string, { maxBytes, keep }: LogOptions): Promise<LogFile> {
  let size = await stat(file).then(
    (found) => found.size,
    () => 0,
  );
  let stream = append(file);
  let rotating: Promise<void> = Promise.resolve();
  let isRotating = false;
  let last: string[] = [];

  async function rotate(): Promise<void> {
    await closed(stream);
    await rm(`${file}.${keep}`, { force: true });
    for (let i = keep - 1; i >= 1; i -= 1)
      await rename(`${file}.${i}`, `${file}.${i + 1}`).catch(() => undefined);
    await rename(file, `${file}.1`).catch(() => undefined);
    stream = append(file);
    size = 0;
    isRotating = false;
    for (const text of waiting.splice(0)) put(text);
  }

  const waiting: string[] = [];
  function put(text: string): void {
    if (isRotating) {
      waiting.push(text);
      return;
    }
    stream.write(text);
    size += Buffer.byteLength(text);
    if (size < maxBytes) return;
    isRotating = true;
    rotating = rotate();
  }

  return {
    write(text) {
      last = [...last, ...text.split('\n').filter(Boolean)].slice(-tailLines);
      put(text);
    },
    tail: () => last.join('\n'),
    async close() {
      await rotating;
      await closed(stream);
    },
  };
}

function append(file: string): WriteStream {
  const stream = createWriteStream(file, { flags: 'a', mode: 0o600 });
  stream.on('error', () => undefined);
  return stream;
}

const closed = (stream: WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.closed) resolve();
    else stream.once('close', () => resolve()).end();
  });
