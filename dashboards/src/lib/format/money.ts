/** Decimal text of the API, such as '-12.30': money and exact energy never pass through a float. */
type Decimal = string;

/** Whole hundredths. @throws RangeError for more than two places, which no amount of money has. */
export function toCents(amount: Decimal): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,2}))?$/.exec(amount);
  if (!match) throw new RangeError(`not an amount of money: ${amount}`);
  const [, sign, whole, part = ''] = match;
  const cents = BigInt(whole!) * 100n + BigInt(part.padEnd(2, '0'));
  return sign ? -cents : cents;
}

/** '-12.30' of -1230 cents. */
export function fromCents(cents: bigint): Decimal {
  const size = cents < 0n ? -cents : cents;
  return `${cents < 0n ? '-' : ''}${size / 100n}.${String(size % 100n).padStart(2, '0')}`;
}

export const sumAmounts = (amounts: readonly Decimal[]): Decimal =>
  fromCents(amounts.reduce((sum, amount) => sum + toCents(amount), 0n));

const formats = new Map<string, Intl.NumberFormat>();

/** Grouped in the reader's language, with exactly the places that it came with. */
export function formatDecimal(amount: Decimal, language: string): string {
  const decimals = amount.split('.')[1]?.length ?? 0;
  const key = `${language}/${decimals}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    formats.set(key, format);
  }
  // Text is formatted as the exact decimal it is.
  return format.format(amount as `${number}`);
}

/** ¥1,234.50, exact, in the reader's language; a price keeps the places beyond hundredths that it came with. */
export function formatMoney(amount: Decimal, currency: string, language: string): string {
  const decimals = Math.max(2, amount.split('.')[1]?.length ?? 0);
  const key = `${language}/${currency}/${decimals}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, {
      style: 'currency',
      currency,
      currencyDisplay: 'narrowSymbol',
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    formats.set(key, format);
  }
  return format.format(amount as `${number}`);
}
