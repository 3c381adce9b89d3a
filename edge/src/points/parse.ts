import { parseBrick } from './brick.ts';
import { parseEde } from './ede.ts';
import { parseHaystack } from './haystack.ts';
import type { SunspecOptions } from './map-sunspec.ts';
import { parseModbus } from './modbus-map.ts';
import type { Fault, Format, Parsed, SourceFile } from './point.ts';
import { decodeText, TextError } from './text.ts';

/** A file's bytes with what stands beside it. */
export interface GivenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Bytes of a companion file by the end of its name, or undefined. */
  beside(ending: string): Uint8Array | undefined;
}

export interface ParseOptions extends SunspecOptions {
  readonly format: Format;
  /** Label of the Encoding standard; guessed when absent. */
  readonly encoding?: string | undefined;
}

/** Parses a point list of any kind. Never throws for what is in the file: every fault is a row of the answer. */
export function parsePoints(file: GivenFile, options: ParseOptions): Parsed {
  try {
    const { text } = decodeText(file.bytes, options.encoding);
    const source: SourceFile = {
      name: file.name,
      text,
      beside: (ending) => {
        const bytes = file.beside(ending);
        return bytes && companionText(ending, bytes, options.encoding);
      },
    };
    const parsed = parserOf(options)(source);
    if (parsed.found.length > 0 || parsed.faults.length > 0) return parsed;
    return nothing({ row: 1, field: 'file', message: 'the file holds no points' });
  } catch (error) {
    if (error instanceof TextError) return nothing({ row: 0, field: 'file', message: error.message });
    // A parser that ran out of stack: no point list is a thousand brackets deep.
    if (!(error instanceof RangeError)) throw error;
    return nothing({ row: 0, field: 'file', message: 'the file is nested too deeply to be a point list' });
  }
}

/** @throws TextError naming the companion. */
function companionText(ending: string, bytes: Uint8Array, encoding: string | undefined): string {
  try {
    return decodeText(bytes, encoding).text;
  } catch (cause) {
    if (!(cause instanceof TextError)) throw cause;
    throw new TextError(`the _${ending} file beside it cannot be read: ${cause.message}`, { cause });
  }
}

const nothing = (fault: Fault): Parsed => ({ source: '', found: [], faults: [fault] });

function parserOf(options: ParseOptions): (source: SourceFile) => Parsed {
  switch (options.format) {
    case 'ede':
      return parseEde;
    case 'modbus':
      return (source) => parseModbus(source, options);
    case 'haystack':
      return parseHaystack;
    case 'brick':
      return parseBrick;
  }
}
