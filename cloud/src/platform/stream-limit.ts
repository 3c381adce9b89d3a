import { AppError } from './errors.ts';

/** Far more pages than anybody has open; each stream costs a look at the session every few seconds. */
const MAX_STREAMS = 30;

/** Counts the open streams of each person. */
export interface StreamLimit {
  /** @returns what gives the place back; call it once. @throws AppError 'too_many_requests' when the person has too many. */
  take(personId: string): () => void;
}

export function createStreamLimit(max = MAX_STREAMS): StreamLimit {
  const open = new Map<string, number>();
  return {
    take(personId) {
      const count = open.get(personId) ?? 0;
      if (count >= max)
        throw new AppError('too_many_requests', `${count} streams are open`, { retryAfterS: 10 });
      open.set(personId, count + 1);
      return () => {
        const left = (open.get(personId) ?? 1) - 1;
        if (left > 0) open.set(personId, left);
        else open.delete(personId);
      };
    },
  };
}
