/** Whole units of the last digit, packed two digits a byte and sent lowest byte first. A minus sits in the highest bit. */
export function packDigits(count: number, bytes: number): Buffer {
  const digits = String(Math.abs(count))
    .padStart(bytes * 2, '0')
    .slice(-bytes * 2); // A display has no more digits than it has.
  const packed = Buffer.from(digits, 'hex').reverse();
  if (count < 0) packed[bytes - 1]! |= 0x80;
  return packed;
}

/** A column of the standards such as 'XXXXXX.XX': how many bytes, and how many digits behind the point. @throws Error for another. */
export function readColumn(text: string): { readonly bytes: number; readonly digits: number } {
  if (!/^X+(\.X+)?$/.test(text)) throw new Error(`'${text}' is no format like XXXXXX.XX`);
  const all = text.replace('.', '').length;
  const point = text.indexOf('.');
  if (all % 2 !== 0) throw new Error(`'${text}' fills no whole bytes`);
  return { bytes: all / 2, digits: point < 0 ? 0 : text.length - point - 1 };
}

/** A counter is cut off to the last digit shown and rolls over after the first; a measurement is rounded. */
export function shownCount(
  value: number,
  { bytes, digits }: { readonly bytes: number; readonly digits: number },
  isCounter: boolean,
): number {
  const count = Number((value * 10 ** digits).toPrecision(15));
  return isCounter ? Math.floor(count) % 10 ** (bytes * 2) : Math.round(count);
}
