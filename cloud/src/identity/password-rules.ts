import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { badFields, type FieldFault } from '../platform/errors.ts';
import type { LocalText } from '../platform/i18n.ts';

/** Characters, counted as people count them. Nothing is asked of which they are. */
export const MIN_PASSWORD_LENGTH = 12;

/** What stands around the core of a password that was made longer: `Password2026!`. At most this many characters. */
const MAX_PADDING = 6;

export type PasswordFault = 'too_short' | 'common' | 'own_name';

/** 10,000 lower-case passwords; made by deploy/scripts/make-common-passwords.mjs, which names the source. */
const common: ReadonlySet<string> = new Set(
  gunzipSync(readFileSync(join(import.meta.dirname, 'common-passwords.txt.gz')))
    .toString('utf8')
    .split('\n'),
);

/**
 * Why a password that somebody chose is refused; undefined: it may be used. Pure.
 * @param names what an attacker knows of the person: login and name.
 */
export function passwordFault(password: string, names: readonly string[] = []): PasswordFault | undefined {
  if ([...password].length < MIN_PASSWORD_LENGTH) return 'too_short';
  const plain = password.normalize('NFKC').toLowerCase();
  if (isCommon(plain)) return 'common';
  if (names.some((name) => isMadeOf(plain, name.normalize('NFKC').toLowerCase()))) return 'own_name';
  return undefined;
}

const faultTexts: Readonly<Record<PasswordFault, LocalText>> = {
  too_short: {
    en: `must NOT have fewer than ${MIN_PASSWORD_LENGTH} characters`,
    zh: `至少 ${MIN_PASSWORD_LENGTH} 个字符`,
  },
  common: { en: 'is too common: it is among the first that are tried', zh: '过于常见，最先被尝试' },
  own_name: { en: 'is made of the own name', zh: '由姓名或登录名组成' },
};

/** @param field where it came from, `body.password`. @throws AppError 'bad_input' blaming the field; `details[0].why` is the fault. */
export function requireGoodPassword(password: string, field: string, names: readonly string[]): void {
  const why = passwordFault(password, names);
  if (!why) return;
  const fault: FieldFault & { why: PasswordFault } = { field, message: faultTexts[why], why };
  throw badFields([fault]);
}

function isCommon(plain: string): boolean {
  const unit = repeatedUnit(plain);
  if (common.has(plain) || isRun(plain) || unit.length <= 4 || common.has(unit)) return true;
  const core = plain.replace(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  return core.length >= plain.length - MAX_PADDING && common.has(core);
}

/** The shortest text that repeated gives the whole: 'abcabcabcabc' is 'abc'. */
function repeatedUnit(text: string): string {
  const period = (text + text).indexOf(text, 1);
  return text.slice(0, period);
}

/** Each character is the neighbour of the one before, always in the same direction: 'abcdefghijklm', '987654321098'. */
function isRun(text: string): boolean {
  const codes = [...text].map((char) => char.codePointAt(0) ?? 0);
  const steps = codes.slice(1).map((code, i) => code - (codes[i] ?? 0));
  return [1, -1].some((step) => steps.every((one) => one === step || one === step * -9)); // 9 is followed by 0.
}

const isMadeOf = (plain: string, name: string): boolean =>
  name.length >= 4 && plain.includes(name) && plain.length - name.length <= MAX_PADDING;
