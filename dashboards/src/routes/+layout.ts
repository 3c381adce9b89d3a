import { createApi } from '#lib/api/client.ts';
import { csrfTokenIn } from '#lib/api/csrf.ts';
import { createTranslator } from '#lib/i18n/translator.ts';
import { Changes } from '#lib/state/changes.svelte.ts';
import { createClock } from '#lib/state/clock.ts';
import { browserStream } from '#lib/state/event-stream.svelte.ts';
import { Preferences } from '#lib/state/preferences.svelte.ts';
import { Session } from '#lib/state/session.svelte.ts';
import { StepUp } from '#lib/state/step-up.svelte.ts';

// A single-page app of static files: nothing is drawn on a server, every path is the same start page.
export const ssr = false;

/** Makes what lives as long as the tab: the wiring of the portal is here and nowhere else. */
export async function load({ fetch }: { fetch: typeof globalThis.fetch }) {
  const preferences = new Preferences({
    storage: localStorage,
    root: document.documentElement,
    languages: navigator.languages,
    systemIsDark: () => matchMedia('(prefers-color-scheme: dark)').matches,
  });
  const api = createApi({
    fetch: (...call) => fetch(...call),
    language: () => preferences.language,
    // Asked again rather than believed: another page of this browser may have renewed the session meanwhile.
    logInAgain: async () => {
      await session.ask();
      return session.back();
    },
    csrfToken: () => csrfTokenIn(document.cookie),
    stepUp: async (kinds) => {
      if (session.state === 'in' && kinds.length > 0) return stepUp.ask(kinds);
      await session.ask(); // Owed since the login, or since the rights grew: the dialog over the page asks for it.
      return session.isInterrupted && session.back();
    },
  });
  const stepUp = new StepUp();
  const session = new Session(api, {
    token: () => csrfTokenIn(document.cookie),
    beginAnew: () => location.replace('/'),
  });
  // Not waited for: the page shows that it is loading, and the log-in form needs no answer.
  void session.ask();
  const changes = new Changes({
    ...browserStream,
    every: (ms, run) => {
      const timer = setInterval(run, ms);
      return () => clearInterval(timer);
    },
    onRefused: () => void session.ask(),
  });
  const text = await createTranslator(preferences.language);
  return { api, changes, clock: createClock(), preferences, session, stepUp, text };
}
