import { ApiError } from '../api/errors.ts';

/** Something that a person does, with the states a button has to show. */
export class Action {
  busy = $state(false);
  /** Why the last try failed; undefined once one succeeded. */
  error = $state.raw<ApiError>();

  /** Runs `work` unless it runs already. Resolves to whether it was done. */
  async run(work: () => Promise<unknown>): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    this.error = undefined;
    try {
      await work();
      return true;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = error;
      return false;
    } finally {
      this.busy = false;
    }
  }
}
