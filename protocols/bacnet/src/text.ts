/** Character sets of ASHRAE 135 clause 20.2.9, by the first octet of a string. */
const charsets: Readonly<Record<number, string>> = { 0: 'utf-8', 2: 'shift_jis', 4: 'utf-16be', 5: 'latin1' };
const DBCS = 1;
const UCS4 = 3;
/** Code pages of the double-byte sets that Windows controllers name. */
const codePages: Readonly<Record<number, string>> = {
  932: 'shift_jis',
  936: 'gbk',
  949: 'euc-kr',
  950: 'big5',
};

/** The text of a character string. A set nobody knows is read as Latin-1: no octet is lost. */
export function textIn(content: Buffer): string {
  const set = content[0] ?? 0;
  if (set === DBCS && content.length >= 3)
    return decoded(codePages[content.readUInt16BE(1)], content.subarray(3));
  if (set === UCS4) return ucs4(content.subarray(1));
  return decoded(charsets[set], content.subarray(1));
}

const decoded = (encoding: string | undefined, octets: Buffer): string =>
  encoding === 'utf-8' ? octets.toString('utf8') : new TextDecoder(encoding ?? 'latin1').decode(octets);

function ucs4(octets: Buffer): string {
  let text = '';
  for (let at = 0; at + 4 <= octets.length; at += 4) {
    const code = octets.readUInt32BE(at);
    text += code <= 0x10_ffff ? String.fromCodePoint(code) : '\ufffd';
  }
  return text;
}
