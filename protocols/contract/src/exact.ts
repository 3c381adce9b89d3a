/** A register count must be exact in a double; larger ones are reported bad. */
export const MAX_EXACT_COUNT = Number.MAX_SAFE_INTEGER;
