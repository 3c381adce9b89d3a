// Makes cloud/src/identity/common-passwords.txt.gz: 10,000 lower-case passwords that are refused, sorted, one a line.
// Source: src/passwords.json (most common first) of the npm package @zxcvbn-ts/language-common 4.1.3, MIT licence,
// copyright 2012-2016 Dan Wheeler and Dropbox, Inc., 2021 @zxcvbn-ts. To make it again:
//   npm pack @zxcvbn-ts/language-common@4.1.3 && tar xzf zxcvbn-ts-language-common-4.1.3.tgz
//   node deploy/scripts/make-common-passwords.mjs package/src/passwords.json
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const COUNT = 10_000;
/** Shorter ones are refused for their length; they are on the list as the core of longer ones. */
const MIN_LENGTH = 12;

const [source] = process.argv.slice(2);
if (!source) throw new Error('name the passwords.json of @zxcvbn-ts/language-common');
const all = [...new Set(JSON.parse(readFileSync(source, 'utf8')).map((one) => String(one).toLowerCase()))];
const long = all.filter((one) => one.length >= MIN_LENGTH);
const short = all.filter((one) => one.length < MIN_LENGTH).slice(0, COUNT - long.length);
const target = join(import.meta.dirname, '../../cloud/src/identity/common-passwords.txt.gz');
writeFileSync(target, gzipSync([...long, ...short].sort().join('\n'), { level: 9 }));
