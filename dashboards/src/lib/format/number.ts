/** The space between a value and its unit (ISO 80000-1), thin and never broken over lines. */
export const thinSpace = '\u202f';

/** What stands where a value is missing: never a zero. */
export const emDash = '—';

const formats = new Map<string, Intl.NumberFormat>();

/** A number with exactly `decimals` places and the language's grouping: 12,345.60. */
export function formatNumber(value: number, decimals: number, language: string): string {
  const key = `${language}/${decimals}`;
  let format = formats.get(key);
  if (!format) {
    format = new Intl.NumberFormat(language, {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    });
    formats.set(key, format);
  }
  // A rounded -0.04 would read "-0.0".
  const shown = Math.abs(value) < 0.5 * 10 ** -decimals ? 0 : value;
  return format.format(shown);
}

/** The unit as people write it; ratios ('1') have none. */
export const formatUnit = (unit: string): string => (unit === '1' ? '' : unit);

/** Value and unit in one string, for titles, table fallbacks and screen readers. */
export function formatQuantity(
  value: number | null,
  unit: string,
  decimals: number,
  language: string,
): string {
  if (value === null) return emDash;
  const shown = formatUnit(unit);
  return formatNumber(value, decimals, language) + (shown && thinSpace + shown);
}

/** Places that keep about three significant digits on an axis or a bar of this size. */
export function decimalsFor(size: number, most = 2): number {
  const magnitude = Math.abs(size);
  if (magnitude >= 100 || magnitude === 0) return 0;
  return Math.min(most, magnitude >= 10 ? 1 : 2);
}

const binary = ['B', 'KiB', 'MiB', 'GiB'];

/** A size on disk: 1.5 MiB. */
export function formatBytes(bytes: number, language: string): string {
  const step = bytes < 1 ? 0 : Math.min(binary.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** step;
  return formatNumber(value, step > 0 && value < 100 ? 1 : 0, language) + thinSpace + binary[step];
}
