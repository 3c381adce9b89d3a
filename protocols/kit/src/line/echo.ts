/** Takes what was sent out of what is heard. */
export interface EchoFilter {
  sent(bytes: Uint8Array): void;
  /** What others said; undefined when something else came in place of the echo: two spoke at once, or the adapter has no echo. */
  heard(bytes: Uint8Array): Uint8Array | undefined;
  /** What was sent so far will not be heard any more. */
  forget(): void;
}

export function createEchoFilter(): EchoFilter {
  let awaited: number[] = [];
  return {
    sent: (bytes) => void awaited.push(...bytes),
    heard(bytes) {
      const own = Math.min(awaited.length, bytes.length);
      for (let at = 0; at < own; at += 1) if (bytes[at] !== awaited[at]) return undefined;
      awaited = awaited.slice(own);
      return bytes.subarray(own);
    },
    forget() {
      awaited = [];
    },
  };
}
