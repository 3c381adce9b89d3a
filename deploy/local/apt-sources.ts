/** One place an apt configuration names: where packages come from, and which suite of them. */
interface Source {
  readonly uri: string;
  readonly suites: readonly string[];
  readonly components: readonly string[];
}

/** Suites of Debian itself. 'stable' and 'testing' are left out: vendors use those words for suites of their own. */
const debianSuites = /^(bullseye|bookworm|trixie|forky|duke|sid|unstable)$/;

/** The one-line format: `deb [options] uri suite component...`. */
function readOneLine(text: string): Source[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s*(.*)$/.exec(line.replace(/#.*/, ''));
    if (!match) return [];
    const [, uri = '', suite = '', components = ''] = match;
    return [{ uri, suites: [suite], components: words(components) }];
  });
}

/** The deb822 format: stanzas of `Field: values`, continued by indented lines. */
function readStanzas(text: string): Source[] {
  const unfolded = text.replace(/^#.*\n?/gm, '').replace(/\n[ \t]+/g, ' ');
  return unfolded.split(/\n\s*\n/).flatMap((stanza) => {
    const field = (name: string): string[] =>
      words(new RegExp(`^${name}:(.*)$`, 'im').exec(stanza)?.[1] ?? '');
    if (!field('Types').includes('deb') || field('Enabled')[0]?.toLowerCase() === 'no') return [];
    return field('URIs').map((uri) => ({ uri, suites: field('Suites'), components: field('Components') }));
  });
}

const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

/**
 * Finds the Debian mirror this machine already uses, among the texts of its source files (name -> content).
 * @returns undefined where no source is Debian's own, as on Ubuntu.
 */
export function findDebianMirror(files: ReadonlyMap<string, string>): string | undefined {
  const sources = [...files].flatMap(([name, text]) =>
    name.endsWith('.sources') ? readStanzas(text) : readOneLine(text),
  );
  const ofDebian = sources.filter(
    ({ suites, components }) =>
      components.includes('main') && suites.some((suite) => debianSuites.test(suite)),
  );
  // A vendor's own repository may borrow Debian's suite names; a path that ends in /debian decides between two.
  const named = ofDebian.find(({ uri }) => /\/debian\/?$/.test(uri));
  return (named ?? ofDebian[0])?.uri.replace(/\/$/, '');
}

/**
 * Of the machine's own settings (the output of `apt-config dump`), the lines that say how to reach a mirror.
 * A private apt configuration hides the system's, so these are carried over; everything else stays ours.
 */
export function reachSettings(dump: string): string[] {
  const wanted =
    /^Acquire::(https?::(Proxy|ProxyAutoDetect|Proxy-Auto-Detect|CAInfo|Verify-Peer)\b|Check-Valid-Until\b)/i;
  return dump.split('\n').filter((line) => wanted.test(line) && line.endsWith('";'));
}
