/** Fields whose content no log may hold, however deep they lie. */
const secretName =
  /pass(word|phrase|wd)|\b(pass|pwd)\b|secret|token|cookie|authorization|seed|api[-_]?key|private[-_]?key|credential|\b(otp|totp|jwt|pin)\b|verifier|(recovery|claim|invite|invitation|setup|reset)[-_]?code/i;

/** Secrets that are known by their looks, wherever they stand in a text. */
const secretTexts: readonly RegExp[] = [
  // PEM; a log line has its line ends as they are, and an error's message may break off in the middle of it.
  /-----BEGIN [A-Z0-9 ]*(?:PRIVATE KEY|CREDENTIALS|SEED)-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g,
  /\bsealed:v1:[a-z0-9-]+:[A-Za-z0-9_-]+/g,
  /\$(?:argon2(?:id|i|d)|2[aby]|scrypt|pbkdf2[a-z0-9-]*)\$[^\s"']+/g,
  // A JWT, signed or not.
  /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g,
  // Seeds of nkeys: operator, account, user, server, cluster.
  /\bS[OAUNCX][A-Z2-7]{56}\b/g,
  /\b(?:Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}/gi,
  /\botpauth:\/\/[^\s"']+/g,
  /\b(?:__Host-)?parkline_session=[^\s;"']+/g,
];

/** The password of an address: everything up to the last @ before the path. */
const addressPassword = /(\b[a-z][a-z0-9+.-]{0,20}:\/\/[^\s:/?#@"']{0,200}):[^\s/?#"']{1,500}@/gi;
/** `password=...`, `"token": "..."` within a text: a query, a form, a document that was quoted. */
const namedInText =
  /((?:pass(?:word|phrase|wd)|pwd|secret|token|api[-_]?key|private[-_]?key|otp|(?:claim|recovery|reset)[-_]?code|code_verifier)\\?["']?\s*[=:]\s*\\?["']?)[^\s&;,"'\\}]{3,}/gi;

const CENSOR = '[secret]';

/** A text without the secrets that can be told by their looks. Pure. */
export function redactText(text: string): string {
  const bare = secretTexts.reduce((rest, pattern) => rest.replace(pattern, CENSOR), text);
  return bare.replace(addressPassword, `$1:${CENSOR}@`).replace(namedInText, `$1${CENSOR}`);
}

/** The same value with secrets cut out by the name of their field and by their looks. Pure. */
export function redact(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redact);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, isKept(key, inner) ? redact(inner) : CENSOR]),
  );
}

/** Nothing and yes or no are no secrets: that a token was given may be said. */
const isKept = (key: string, inner: unknown): boolean =>
  inner === null || typeof inner === 'boolean' || !secretName.test(key);

/** One line of the log, JSON, without secrets. Pure. */
export const redactLine = (line: string): string => `${JSON.stringify(redact(JSON.parse(line)))}\n`;
