/** A stream of bytes to the far end of a bus: a TCP connection or a serial port. What the bytes mean is the driver's. */
export interface ByteLine {
  /** Sends after whatever was written before. A failure ends the line and is told by `onClose`. */
  write(bytes: Uint8Array): void;
  /** Resolves when all that was written has left: the last bit is on the wire (serial) or the network has it (TCP). Never rejects. */
  drain(): Promise<void>;
  /** Throws away what arrived and was not told by `onData` yet. Bytes still on their way come later. Never rejects. */
  flush(): Promise<void>;
  /** Ends it at once; `onClose` is not called for it. Resolves when it can be opened again. Safe when it is gone, and twice. */
  destroy(): Promise<void>;
}

export interface LineEvents {
  /** Bytes as they come, torn or merged; the array is the receiver's own. */
  onData(bytes: Uint8Array): void;
  /** The far end, the network or the unplugged port ended it. Called once at most, with words for a person. */
  onClose(why: string): void;
}

/** Opens a line. Rejects with DriverError: 'lost' when nobody is there in time, 'aborted' when the signal says so. */
export type Dial = (events: LineEvents, signal: AbortSignal) => Promise<ByteLine>;
