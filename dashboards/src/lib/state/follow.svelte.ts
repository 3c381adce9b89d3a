import type { ChangeTopic } from '@parkline/contract';
import type { Changes } from './changes.svelte.ts';
import type { Resource } from './resource.svelte.ts';

/**
 * Keeps `resource` up to date as long as the component lives: read at once, again when what `read` depends on changes
 * (the reader's language is always among it), and again when the server tells that one of the topics changed.
 */
export function follow<T>(
  resource: Resource<T>,
  changes: Changes,
  topics: readonly ChangeTopic[],
  read: (signal: AbortSignal) => Promise<T>,
): void {
  $effect(() => {
    void resource.load(read);
    const stop = changes.on(topics, () => resource.reload());
    return () => {
      stop();
      resource.close();
    };
  });
}
