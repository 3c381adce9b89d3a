/** How a serial line is spoken. Direction of an RS-485 line is the adapter's or the kernel's to switch; see `echo`. */
export interface SerialSettings {
  /** '/dev/ttyUSB0', '/dev/serial/by-id/...', 'COM3'. */
  readonly path: string;
  readonly baudRate: number;
  readonly dataBits: 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
  /** The adapter hears its own sending (two-wire RS-485 without echo suppression): what was sent is taken out of what comes. */
  readonly echo?: boolean;
}

/** Time one character takes on the line, ms: start bit, data, parity, stop. */
export function characterMs({ baudRate, dataBits, parity, stopBits }: SerialSettings): number {
  return ((1 + dataBits + (parity === 'none' ? 0 : 1) + stopBits) * 1_000) / baudRate;
}

/** For a person: '/dev/ttyUSB0 9600 8E1'. */
export const serialName = ({ path, baudRate, dataBits, parity, stopBits }: SerialSettings): string =>
  `${path} ${baudRate} ${dataBits}${parity[0]!.toUpperCase()}${stopBits}`;
