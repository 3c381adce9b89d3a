import type { Translator } from '#lib/i18n/translator.ts';

/** How a thing that is there is taken away, and the words of the question before. */
export interface Removal {
  readonly word: string;
  readonly title: string;
  readonly says: string;
  /** Why somebody else's doing keeps it. */
  readonly conflict: string;
  work(): Promise<unknown>;
}

/** Of what is retired in place of being deleted once it has readings. */
export const removalOf = ({ t }: Translator, name: string, work: Removal['work']): Removal => ({
  word: t('thing.remove'),
  title: t('thing.removeTitle', { name }),
  says: t('thing.removeText'),
  conflict: t('thing.stale'),
  work,
});
