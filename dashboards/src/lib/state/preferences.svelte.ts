import type { Language } from '@parkline/contract';
import { createContext } from 'svelte';

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** The two keys are read by static/before-paint.js as well. */
const keys = { language: 'parkline.language', theme: 'parkline.theme' };

export interface PreferenceDeps {
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;
  /** The root element, which carries language and theme for the style sheets. */
  root: { lang: string; dataset: DOMStringMap };
  /** The reader's languages, best first. */
  languages: readonly string[];
  systemIsDark: () => boolean;
}

/** What a person chose on this device. Kept in the browser; the server learns the language with each call. */
export class Preferences {
  language = $state<Language>('en');
  theme = $state<Theme>('system');
  #deps: PreferenceDeps;

  constructor(deps: PreferenceDeps) {
    this.#deps = deps;
    const language =
      deps.storage.getItem(keys.language) ?? deps.languages.find((name) => /^(zh|en)/i.test(name));
    this.language = /^zh/i.test(language ?? '') ? 'zh-CN' : 'en';
    this.theme = themes.find((theme) => theme === deps.storage.getItem(keys.theme)) ?? 'system';
    this.#show();
  }

  /** What is on screen: the choice, or the system's. */
  get shownTheme(): 'light' | 'dark' {
    if (this.theme !== 'system') return this.theme;
    return this.#deps.systemIsDark() ? 'dark' : 'light';
  }

  setLanguage(language: Language): void {
    this.language = language;
    this.#deps.storage.setItem(keys.language, language);
    this.#show();
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    if (theme === 'system') this.#deps.storage.removeItem(keys.theme);
    else this.#deps.storage.setItem(keys.theme, theme);
    this.#show();
  }

  #show(): void {
    this.#deps.root.lang = this.language;
    this.#deps.root.dataset['theme'] = this.shownTheme;
  }
}

export const [getPreferences, setPreferences] = createContext<Preferences>();
