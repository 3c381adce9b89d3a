import { createContext } from 'svelte';
import { createSubscriber } from 'svelte/reactivity';

/** Now, as Unix ms. Whatever reads it is drawn again each second; it stands still while nobody does. */
export interface Clock {
  readonly now: number;
}

export function createClock(read: () => number = Date.now, tickMs = 1_000): Clock {
  const subscribe = createSubscriber((update) => {
    const timer = setInterval(update, tickMs);
    return () => clearInterval(timer);
  });
  return {
    get now() {
      subscribe();
      return read();
    },
  };
}

export const [getClock, setClock] = createContext<Clock>();
