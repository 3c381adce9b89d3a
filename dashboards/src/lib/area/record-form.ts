import type { RecordName, Records } from '#lib/api/places.ts';
import type { Translator } from '#lib/i18n/translator.ts';
import type { RecordField, RecordText } from './record-fields.ts';

/** How one kind of record is typed in: its fields, and the way to text and back. */
export interface RecordFormOf<N extends RecordName> {
  readonly name: N;
  readonly fields: readonly RecordField[];
  readonly empty: RecordText;
  textOf(view: Records[N]['view']): RecordText;
  /** What is sent; `stored` is what is there now, undefined for a new one. */
  bodyOf(typed: RecordText, stored: Records[N]['view'] | undefined): Records[N]['body'];
  /** What a person calls it. */
  titleOf(view: Records[N]['view']): string;
}

interface Named {
  readonly key: string;
  readonly name: { readonly en: string; readonly zh: string };
}

/** What everything is asked that has a name in both languages. */
export const namedFields = ({ t }: Translator): RecordField[] => [
  { name: 'nameZh', label: t('record.nameZh'), required: true },
  { name: 'nameEn', label: t('record.nameEn'), required: true },
  { name: 'key', label: t('record.key'), hint: t('record.keyHint'), required: true },
];
export const namedText = ({ key, name }: Named): RecordText => ({ key, nameEn: name.en, nameZh: name.zh });
export const namedBody = (typed: RecordText): Named => ({
  key: typedIn(typed, 'key'),
  name: { en: typedIn(typed, 'nameEn'), zh: typedIn(typed, 'nameZh') },
});
export const namedTitle = ({ language }: Translator, { name }: Named): string =>
  language === 'en' ? name.en : name.zh;

/** What was typed into a field, without blanks around it. Pure. */
export const typedIn = (typed: RecordText, name: string): string => (typed[name] ?? '').trim();
