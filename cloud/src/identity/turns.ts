/** Runs the tasks of one key one after another; those of other keys do not wait for them. */
export type Turns = <T>(key: string, task: () => Promise<T>) => Promise<T>;

export function createTurns(): Turns {
  const last = new Map<string, Promise<unknown>>();
  return (key, task) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(task, task);
    last.set(key, turn);
    const tidy = () => {
      if (last.get(key) === turn) last.delete(key);
    };
    turn.then(tidy, tidy);
    return turn;
  };
}
