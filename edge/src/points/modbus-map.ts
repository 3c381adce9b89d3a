import { isMap, LineCounter, parseDocument } from 'yaml';
import { parseBitpool } from './map-bitpool.ts';
import { parseEvcc } from './map-evcc.ts';
import { parseLocalGateway } from './map-local-gateway.ts';
import { parseSunspec, type SunspecOptions } from './map-sunspec.ts';
import { fieldOf, isFields, parseJson } from './json.ts';
import { parseModbusCsv } from './modbus-csv.ts';
import { type Fault, type Parsed, type SourceFile } from './point.ts';

/** Characters of a YAML file. */
const MAX_YAML = 4_000_000;

/** Parses whatever describes Modbus registers: the CSV list, JSON and YAML register maps. The text says which it is. */
export function parseModbus(file: SourceFile, options: SunspecOptions): Parsed {
  const start = file.text.trimStart().slice(0, 1);
  if (start === '[' || start === '{') return parseJsonMap(file, options);
  if (/^(render|template|device|read_(only|write)_(word|boolean)):/m.test(file.text))
    return parseYamlMap(file);
  return parseModbusCsv(file);
}

const nothing = (fault: Fault): Parsed => ({ source: 'modbus', found: [], faults: [fault] });

function parseJsonMap(file: SourceFile, options: SunspecOptions): Parsed {
  const read = parseJson(file.text);
  if ('fault' in read) return nothing(read.fault);
  const { value } = read;
  const list = Array.isArray(value) ? value : isFields(value) ? fieldOf(value, 'registers') : undefined;
  if (Array.isArray(list)) return parseBitpool(file, list);
  if (isFields(value) && isFields(fieldOf(value, 'group'))) return parseSunspec(value, options);
  return nothing({
    row: 1,
    field: 'json',
    message:
      'is no register map: it is neither a list of registers (address, fnCode, format, ...) nor a SunSpec model (group.points)',
  });
}

function parseYamlMap(file: SourceFile): Parsed {
  if (file.text.length > MAX_YAML) {
    const message = `is longer than ${MAX_YAML} characters, and no register map is`;
    return nothing({ row: 0, field: 'file', message });
  }
  const lines = new LineCounter();
  const document = parseDocument(file.text, { lineCounter: lines, uniqueKeys: false });
  const [error] = document.errors;
  if (error) {
    const what = error.message.split('\n')[0]?.replace(/ at line.*$/, '') ?? '';
    return nothing({ row: error.linePos?.[0].line ?? 1, field: 'yaml', message: `is not YAML: ${what}` });
  }
  if (!isMap(document.contents)) {
    return nothing({
      row: 1,
      field: 'yaml',
      message: 'is no register map: the file is not a list of named sections',
    });
  }
  const rowAt = (offset: number): number => lines.linePos(offset).line;
  return document.contents.has('render')
    ? parseEvcc(file, document.contents, rowAt)
    : parseLocalGateway(document.contents, rowAt);
}
