import type { FactorKind } from '@parkline/contract';
import { createContext } from 'svelte';

/** Asks for the second factor wherever the server wants a fresh one; a dialog of the root page shows it. */
export class StepUp {
  /** What can be given; undefined while nothing is asked. */
  kinds = $state.raw<readonly FactorKind[]>();
  #asked: Promise<boolean> | undefined;
  #answer: ((given: boolean) => void) | undefined;

  /** Resolves when it was given or declined. Requests that are refused meanwhile wait for the same answer. */
  ask(kinds: readonly FactorKind[]): Promise<boolean> {
    this.#asked ??= new Promise((resolve) => {
      this.kinds = kinds;
      this.#answer = resolve;
    });
    return this.#asked;
  }

  answer(given: boolean): void {
    this.kinds = undefined;
    this.#asked = undefined;
    this.#answer?.(given);
    this.#answer = undefined;
  }
}

export const [getStepUp, setStepUp] = createContext<StepUp>();
