import type { Client } from 'aedes';

/** What aedes 1.2 keeps of its packet parser; it has no option for what we need of it. */
interface Parser {
  /** @returns the bytes that wait for the rest of their packet. */
  parse(bytes: Uint8Array): number;
  /** Declared length of the packet under way; -1 when there is none. */
  readonly packet?: { readonly length?: number };
}

/**
 * Ends a connection that announces a packet above `maxBytes`, and one whose bytes make the parser throw: outside of this
 * guard that would be an uncaught exception, the end of every driver in the process.
 * @throws Error when the library was changed so that the guard does not hold.
 */
export function guardParser(client: Client, maxBytes: number): void {
  const parser = (client as unknown as { _parser?: Parser })._parser;
  if (typeof parser?.parse !== 'function') throw new Error('aedes has no parser to guard: wrong version?');
  const parse = parser.parse.bind(parser);
  parser.parse = (bytes) => {
    try {
      const waiting = parse(bytes);
      if (waiting > maxBytes || (parser.packet?.length ?? 0) > maxBytes)
        client.conn.destroy(new Error(`packet above ${maxBytes} bytes`));
      return waiting;
    } catch (error) {
      client.conn.destroy(error instanceof Error ? error : new Error(String(error)));
      return 0;
    }
  };
}
