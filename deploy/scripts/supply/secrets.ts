import { lintSource } from '@secretlint/core';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';
import { fromSeed } from '@nats-io/nkeys';

/** Something that looks like a secret. The finding never quotes it. */
export interface Finding {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** What it looks like. */
  readonly what: string;
}

const config = {
  rules: [
    {
      id: '@secretlint/secretlint-rule-preset-recommend',
      rule: creator,
      rules: [
        {
          id: '@secretlint/secretlint-rule-database-connection-string',
          options: {
            // A database of this machine or of a documentation's domain, and words in place of a password.
            allows: ['/@(127\\.0\\.0\\.1|localhost|[a-z.]+\\.example)[:\\/]/', '/:<password>@/'],
          },
        },
      ],
    },
  ],
};

/** What Parkline itself makes, and what the preset does not know. */
const shapes: readonly (readonly [what: string, pattern: RegExp, isReal?: (text: string) => boolean])[] = [
  ['an API key of Parkline', /\bpk_[0-9a-f]{32}_[\w-]{43}(?![\w-])/g],
  ['a sealed secret of a database', /\bsealed:v1:[a-z0-9-]{1,32}:[A-Za-z0-9_-]{54,}/g],
  ['a seed of an nkey', /\bS[OAUNCX][A-Z2-7]{56}\b/g, isSeed],
  ['credentials of the message server', /-----BEGIN USER NKEY SEED-----\s+S/g],
  ['a JWT', /\beyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{40,}/g],
  ['a key that seals a database or a backup', /^[a-z0-9-]{1,32} [A-Za-z0-9+/]{43}=$/gm],
  ['a private key', /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s+(?:[A-Za-z0-9+/=]{16,}\s+)+-----END/g],
  ['an access key of Alibaba Cloud', /\bLTAI[A-Za-z0-9]{17,22}\b/g],
  ['an access key of Tencent Cloud', /\bAKID[A-Za-z0-9]{32}\b/g],
];

/** Letters alone make no seed: the checksum has to hold. */
function isSeed(text: string): boolean {
  try {
    fromSeed(new TextEncoder().encode(text));
    return true;
  } catch {
    return false;
  }
}

/** Every place of a text that looks like a secret: by the rules of secretlint, then by our own. */
export async function findSecrets(file: string, content: string): Promise<Finding[]> {
  const { messages } = await lintSource({
    source: { content, filePath: file, ext: '', contentType: 'text' },
    options: { noPhysicFilePath: true, config },
  });
  const known = messages.map(({ loc, ruleId }) => ({
    ...{ file, line: loc.start.line },
    what: ruleId.replace('@secretlint/secretlint-rule-', ''),
  }));
  const own = shapes.flatMap(([what, pattern, isReal = () => true]) =>
    [...content.matchAll(pattern)]
      .filter(([text]) => isReal(text))
      .map(({ index }) => ({ file, line: content.slice(0, index).split('\n').length, what })),
  );
  return [...known, ...own];
}
