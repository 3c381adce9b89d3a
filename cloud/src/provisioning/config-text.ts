import { type Document, parseDocument, type YAMLParseError } from 'yaml';
import { badField } from '../platform/errors.ts';
import { plainSecrets } from './config-make.ts';

/** Whether a text may become the gateway.yaml of this gateway. @throws AppError 'bad_input' saying what is wrong with it. */
export function checkText(yaml: string, gatewayId: string): void {
  const document = parseDocument(yaml);
  const [wrong] = document.errors;
  if (wrong) throw badField('body.yaml', yamlWords.unreadable(wrong));
  try {
    contentOf(document);
  } catch (cause) {
    throw badField('body.yaml', yamlWords.alias, { cause });
  }
  if (document.get('gatewayId') !== gatewayId) throw badField('body.yaml', yamlWords.other(gatewayId));
  const [plain] = plainSecrets(document);
  if (plain !== undefined) throw badField('body.yaml', yamlWords.plain(plain));
}

/** What a document says, as plain values. The parser finds no fault in an alias: only who follows it does. @throws Error. */
export function contentOf(document: Document): unknown {
  const content: unknown = document.toJS();
  if (isEndless(content, new Set(), new Set())) throw new Error('an alias stands for what it is part of');
  return content;
}

/** Whether a value contains itself, as that of `&a { b: *a }` does. */
function isEndless(value: unknown, above: Set<unknown>, done: Set<unknown>): boolean {
  if (typeof value !== 'object' || value === null || done.has(value)) return false;
  if (above.has(value)) return true;
  above.add(value);
  const found = Object.values(value).some((one) => isEndless(one, above, done));
  above.delete(value);
  done.add(value);
  return found;
}

const yamlWords = {
  /** The parser says what and where in English; where is the same in every language. */
  unreadable: ({ message, linePos }: YAMLParseError) => ({
    en: message.split('\n')[0] ?? message,
    zh: `不是有效的 YAML：第 ${linePos?.[0].line ?? 1} 行第 ${linePos?.[0].col ?? 1} 列`,
  }),
  alias: {
    en: 'an alias in it leads nowhere, into itself or to too much: write out what it stands for',
    zh: '其中有别名（*名称）找不到在前的锚点、指向自身或展开过多：请直接写出其内容',
  },
  other: (id: string) => ({
    en: `gatewayId must be ${id}, this gateway`,
    zh: `gatewayId 须为本网关的 ${id}`,
  }),
  plain: (name: string) => ({
    en: `${name} is a secret: keep it with its bus and write \${secret:<bus>:${name}} here`,
    zh: `${name} 是密钥：请存于其总线，此处写 \${secret:<bus>:${name}}`,
  }),
};
