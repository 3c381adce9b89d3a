/** The cookie that goes with the session's own, which scripts cannot read; the API wants it back in a header. */
export function csrfTokenIn(cookies: string): string | undefined {
  return /(?:^|;\s*)(?:__Host-)?parkline_csrf=([^;]+)/.exec(cookies)?.[1];
}
