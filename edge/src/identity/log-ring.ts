/** The last lines of the gateway's own log, in memory. */
export interface LogRing {
  /** Takes a line as it goes out, and hands it on as it is. */
  readonly take: (line: string) => string;
  /** The last `count` lines, oldest first, secrets cut out, no more than `mostBytes`; `truncated`: older ones were left out for that. */
  last(count: number, mostBytes: number): { readonly lines: string[]; readonly truncated: boolean };
}

const MOST_LINES = 2_000;
const MOST_CHARS = 2_000;

export function createLogRing(): LogRing {
  const lines: string[] = [];
  let at = 0;
  return {
    take(line) {
      lines[at % MOST_LINES] = line.length > MOST_CHARS ? `${line.slice(0, MOST_CHARS)}…` : line.trimEnd();
      at += 1;
      return line;
    },
    last(count, mostBytes) {
      const wanted = Math.min(count, lines.length);
      const found: string[] = [];
      let left = mostBytes;
      for (let back = 1; back <= wanted; back += 1) {
        const line = withoutSecrets(lines[(at - back) % MOST_LINES] ?? '');
        left -= Buffer.byteLength(line) + 4;
        if (left < 0) return { lines: found.reverse(), truncated: true };
        found.push(line);
      }
      return { lines: found.reverse(), truncated: false };
    },
  };
}

const NAMED =
  /("[^"]*(?:pass|secret|token|seed|jwt|credential|authorization|cookie)[^"]*"\s*:\s*)(?:"(?:[^"\\]|\\.)*"|[^,}\]]+)/gi;
const LOOKS =
  /\bS[UAOX][A-Z2-7]{40,}\b|\beyJ[\w-]+\.[\w-]+\.[\w-]+|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)|(?<=:\/\/)[^/@\s"]+(?=@)/g;

/** What must not leave the gateway: fields by their names, seeds, JWTs, private keys and passwords of addresses by their looks. Pure. */
export const withoutSecrets = (line: string): string =>
  line.replace(NAMED, '$1"[cut]"').replace(LOOKS, '[cut]');
