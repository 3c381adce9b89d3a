import type { LiveSample } from '@parkline/contract';
import { getApi } from '../api/client.ts';
import { getClock } from './clock.ts';
import { getPreferences } from './preferences.svelte.ts';
import { getSession } from './session.svelte.ts';
import { Watch } from './watch.svelte.ts';

/**
 * Watches the points of one device, or of all, as long as the component lives. The list is read again in another
 * language; a stream that is refused asks who is still logged in.
 */
export function watchPoints(filter: { equipment?: string }, onSample?: (sample: LiveSample) => void): Watch {
  const [api, clock, preferences, session] = [getApi(), getClock(), getPreferences(), getSession()];
  const watch = new Watch(filter, {
    api,
    clock,
    onRefused: () => void session.ask(),
    ...(onSample && { onSample }),
  });
  $effect(() => () => watch.close());
  $effect(() => {
    if (preferences.language) void watch.load();
  });
  return watch;
}
