import type { ChangeTopic } from '@parkline/contract';
import { getChanges } from '#lib/state/changes.svelte.ts';
import { getPreferences } from '#lib/state/preferences.svelte.ts';
import { getSession } from '#lib/state/session.svelte.ts';
import type { Area } from './areas.ts';

/** What an area reads for all its pages. */
export interface AreaData {
  load(): Promise<unknown>;
  close(): void;
}

/**
 * Keeps `data` loaded as long as the area is open and its reader may enter: read at once, again in another language,
 * and again when the server tells that one of the topics, if any, changed.
 */
export function keepLoaded(area: Area, data: AreaData, topics?: readonly ChangeTopic[]): void {
  const [changes, preferences, session] = [getChanges(), getPreferences(), getSession()];
  $effect(() => {
    // Names come in the reader's language: another language is another answer.
    if (!session.areas.includes(area) || !preferences.language) return;
    void data.load();
    const stop = topics && changes.on(topics, () => data.load());
    return () => {
      stop?.();
      data.close();
    };
  });
}
