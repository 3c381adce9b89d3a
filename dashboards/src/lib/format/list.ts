const formats = new Map<string, Intl.ListFormat>();

/** Things one after the other, with the language's own mark between them: "A, B" or "A、B". */
export function formatList(items: readonly string[], language: string): string {
  let format = formats.get(language);
  if (!format) {
    // The narrow form has no word before the last one.
    format = new Intl.ListFormat(language, { type: 'conjunction', style: 'narrow' });
    formats.set(language, format);
  }
  return format.format(items);
}
