import { ApiError } from '../api/errors.ts';
import type { Translator } from '../i18n/translator.ts';
import { isDeclined } from './passkey.ts';

/** A try at a second factor: whether it runs, and in words why the last one failed. */
export function factorTry(text: Translator) {
  let busy = $state(false);
  let failure = $state.raw<unknown>();

  const message = $derived.by(() => {
    if (failure === undefined) return undefined;
    if (!(failure instanceof ApiError)) return text.t('security.declined');
    if (failure.offline) return text.t('state.offlineTitle');
    if (failure.code === 'code_refused') return text.t('security.wrong');
    if (failure.status === 429) return text.t('security.limited');
    return failure.message;
  });

  return {
    get busy() {
      return busy;
    },
    get message() {
      return message;
    },
    /** Resolves to whether it went through. */
    async run(work: () => Promise<unknown>): Promise<boolean> {
      if (busy) return false;
      busy = true;
      failure = undefined;
      try {
        await work();
        return true;
      } catch (error) {
        if (!(error instanceof ApiError) && !isDeclined(error)) throw error;
        failure = error;
        return false;
      } finally {
        busy = false;
      }
    },
  };
}
