import type { Language } from '@parkline/contract';
import { createInstance, type TFunction } from 'i18next';
import { createContext } from 'svelte';
import { createSubscriber } from 'svelte/reactivity';

const catalogues = {
  en: async () => (await import('./en.ts')).en,
  'zh-CN': async () => (await import('./zh-CN.ts')).zhCN,
} as const satisfies Record<Language, () => Promise<object>>;

/** The portal's words in the reader's language. Whatever reads `t` or `language` is drawn again when it changes. */
export interface Translator {
  readonly t: TFunction<'portal'>;
  readonly language: Language;
  /** Loads a language's catalogue if need be, then switches to it. */
  use(language: Language): Promise<void>;
}

/** Ready to speak `language` once the promise resolves; the other catalogue is loaded only when asked for. */
export async function createTranslator(language: Language): Promise<Translator> {
  const words = createInstance();
  await words.init({
    lng: language,
    fallbackLng: false,
    defaultNS: 'portal',
    ns: ['portal'],
    resources: { [language]: { portal: await catalogues[language]() } },
    // Svelte escapes what it prints.
    interpolation: { escapeValue: false },
  });
  const subscribe = createSubscriber((update) => {
    words.on('languageChanged', update);
    return () => words.off('languageChanged', update);
  });
  return {
    get t() {
      subscribe();
      return words.t;
    },
    get language() {
      subscribe();
      return words.language as Language;
    },
    async use(next) {
      if (!words.hasResourceBundle(next, 'portal')) {
        words.addResourceBundle(next, 'portal', await catalogues[next]());
      }
      await words.changeLanguage(next);
    },
  };
}

/** Components take their words from the context, so that a test may give its own. */
export const [getText, setText] = createContext<Translator>();
