const names: Readonly<Record<number, string>> = {
  1: 'illegal function',
  2: 'illegal data address',
  3: 'illegal data value',
  4: 'device failure',
  5: 'accepted, not done yet',
  6: 'device busy',
  8: 'memory parity error',
};

/** The function is not there: another may do the same. */
export const NO_SUCH_FUNCTION = 1;
/** The device has begun and will take longer. */
export const ACKNOWLEDGED = 5;

/** A device's refusal for a person, Modbus application protocol clause 7. */
export const refusalOf = (code: number): string => names[code] ?? `exception ${code}`;

/** Illegal address or length: a smaller range may be legal. */
export const isRangeRefusal = (code: number): boolean => code === 2 || code === 3;
