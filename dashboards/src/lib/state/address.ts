/** The same page with other search parameters: what is shown is in the address, so that a link shows it again. */
export function withQuery(
  url: { readonly href: string },
  changes: Readonly<Record<string, string | undefined>>,
): string {
  const next = new URL(url.href);
  for (const [key, value] of Object.entries(changes)) {
    if (value === undefined) next.searchParams.delete(key);
    else next.searchParams.set(key, value);
  }
  return next.pathname + next.search;
}
