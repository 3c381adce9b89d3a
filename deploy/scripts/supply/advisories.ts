/** What `npm audit --json` prints, as far as it is read. */
export interface AuditReport {
  readonly auditReportVersion?: number;
  readonly vulnerabilities?: Readonly<Record<string, { readonly via: readonly (Advisory | string)[] }>>;
  /** Where the registry could not be asked. */
  readonly message?: string;
}

interface Advisory {
  readonly name: string;
  readonly title: string;
  /** Ends with the number of the advisory (GHSA-...). */
  readonly url: string;
  readonly severity: string;
}

/** A weakness that is known and borne for a while. */
export interface Waiver {
  /** GHSA number. */
  readonly advisory: string;
  readonly package: string;
  /** Why it does no harm here. */
  readonly reason: string;
  /** Last day (UTC), YYYY-MM-DD, at most 90 days away. */
  readonly until: string;
}

/** What came of an audit. `unasked` is neither good nor bad: nobody looked. */
export type Verdict =
  | { readonly kind: 'unasked'; readonly why: string }
  | {
      readonly kind: 'clean' | 'bad';
      readonly faults: readonly string[];
      readonly waived: readonly string[];
    };

const DAY_MS = 86_400_000;
const LONGEST_DAYS = 90;

/** Judges a report: no weakness that is high or critical, but for those with a waiver that still runs. Pure. @param now Unix ms. */
export function judge(report: AuditReport, waivers: readonly Waiver[], now: number): Verdict {
  if (report.auditReportVersion !== 2 || report.vulnerabilities === undefined)
    return { kind: 'unasked', why: report.message ?? 'npm audit gave no report' };
  const grave = new Map<string, string>();
  for (const { via } of Object.values(report.vulnerabilities))
    for (const one of via)
      if (typeof one !== 'string' && (one.severity === 'high' || one.severity === 'critical'))
        grave.set(
          `${numberOf(one.url)} ${one.name}`,
          `${one.severity}: ${one.name}: ${one.title} (${one.url})`,
        );
  const faults = waivers.flatMap((waiver) => waiverFaults(waiver, grave, now));
  const waived: string[] = [];
  for (const [key, text] of grave)
    (waivers.some((waiver) => keyOf(waiver) === key) ? waived : faults).push(text);
  return { kind: faults.length > 0 ? 'bad' : 'clean', faults, waived };
}

const numberOf = (url: string): string => url.slice(url.lastIndexOf('/') + 1);
const keyOf = ({ advisory, package: name }: Waiver): string => `${advisory} ${name}`;

function waiverFaults(waiver: Waiver, grave: ReadonlyMap<string, string>, now: number): string[] {
  const name = `waiver of ${keyOf(waiver)}`;
  // The last day counts whole.
  const end = Date.parse(`${waiver.until}T00:00:00Z`) + DAY_MS;
  if (Number.isNaN(end)) return [`${name}: until is no day`];
  if (end <= now) return [`${name}: ended with ${waiver.until}`];
  if (end - now > (LONGEST_DAYS + 1) * DAY_MS) return [`${name}: runs longer than ${LONGEST_DAYS} days`];
  if (waiver.reason.trim() === '') return [`${name}: gives no reason`];
  return grave.has(keyOf(waiver)) ? [] : [`${name}: nothing needs it: take it out`];
}
