/** Work on one device at a time, in order of asking; other devices go on meanwhile. */
export interface Turns {
  /** Resolves when `work` has ended. A rejection is the caller's and stops nobody else. */
  take(device: string, work: () => Promise<void>): Promise<void>;
  /** Resolves when nothing is under way. */
  idle(): Promise<void>;
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>();
  return {
    take(device, work) {
      const turn = (last.get(device) ?? Promise.resolve()).catch(() => undefined).then(work);
      last.set(device, turn);
      const leave = (): void => {
        if (last.get(device) === turn) last.delete(device);
      };
      turn.then(leave, leave);
      return turn;
    },
    async idle() {
      while (last.size > 0) await Promise.allSettled(last.values());
    },
  };
}
