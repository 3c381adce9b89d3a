/** Numbers in [0, 1) that are the same in every run (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Bends datagrams, by numbers in [0, 1). */
export const createMutation = (random: () => number) => (datagram: Buffer) => mutated(datagram, random);

/** Some octets flipped, set, cut off, taken out or put in; the length in the header is put right as often as not. */
function mutated(datagram: Buffer, random: () => number): Buffer {
  const below = (limit: number): number => Math.floor(random() * limit);
  let bent: Buffer = Buffer.from(datagram);
  for (let changes = 1 + below(3); changes > 0; changes -= 1) {
    const at = below(bent.length);
    const kind = below(5);
    if (kind === 0) bent[at]! ^= 1 << below(8);
    else if (kind === 1) bent[at] = below(256);
    else if (kind === 2) bent = bent.subarray(0, Math.max(1, at));
    else if (kind === 3) bent = Buffer.concat([bent.subarray(0, at), bent.subarray(at + 1 + below(4))]);
    else {
      const noise = Buffer.from(Array.from({ length: 1 + below(6) }, () => below(256)));
      bent = Buffer.concat([bent.subarray(0, at), noise, bent.subarray(at)]);
    }
  }
  if (bent.length >= 4 && below(2) === 0) bent.writeUInt16BE(bent.length, 2);
  return bent;
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');
const datagram = (apdu: Buffer): Buffer => {
  const whole = Buffer.concat([hex('81 0a 00 00 01 00'), apdu]);
  whole.writeUInt16BE(whole.length, 2);
  return whole;
};
const STAMP = '2e a4 7e 0b 16 07 b4 0a 00 00 00 2f';
/** Service data of an event notification of analog input 1. */
const event = (device: number): Buffer =>
  hex(
    `09 01 1c 02 00 00 ${device.toString(16).padStart(2, '0')} 2c 00 00 00 01 3e ${STAMP} 3f 49 01 59 64 69 05 7d 05 00 48 6f 6c 61
     89 00 99 00 a9 00 b9 03 ce 5e 0c 42 0c 00 00 1a 04 80 2c 00 00 00 00 3c 41 f0 00 00 5f cf`.replaceAll(
      '\n',
      '',
    ),
  );

/** Good messages to bend. */
export const seeds = {
  event,
  eventNotifications: (device: number): Buffer[] => [
    datagram(Buffer.concat([hex('10 03'), event(device)])),
    datagram(Buffer.concat([hex('00 05 07 02'), event(device)])),
  ],
  bvlcResult: hex('81 00 00 06 00 00'),
  forwarded(message: Buffer, { address, port }: { address: string; port: number }): Buffer {
    const head = [0x81, 4, 0, message.length + 6, ...address.split('.').map(Number), port >> 8, port & 255];
    return Buffer.concat([Buffer.from(head), message.subarray(4)]);
  },
  /** A change of value of analog input 1. */
  change: hex(
    '09 01 1c 02 00 00 4d 2c 00 00 00 01 39 3c 4e 09 55 2e 44 41 ac 00 00 2f 09 6f 2e 82 04 00 2f 4f',
  ),
  /** A ReadRange answer of trend log 5: a note of its own, two values, a failure. */
  range: hex(
    `0c 05 00 00 05 19 83 3a 05 c0 49 04 5e ${['0a 05 80', '2c 41 ac 00 00', '4a 01 00', '8e 91 02 91 1b 8f']
      .map((datum) => `0e a4 7e 0b 16 07 b4 0a 00 00 00 0f 1e ${datum} 1f 2a 04 00`)
      .join(' ')} 5f 69 03`,
  ),
  /** A GetEventInformation answer about analog input 1. */
  information: hex(
    `0e 0c 00 00 00 01 19 03 2a 05 e0 3e ${STAMP.repeat(3)} 3f 49 00 5a 05 e0 6e 21 64 21 64 21 64 6f 0f 19 00`,
  ),
  week: hex('0e b4 07 00 00 00 44 41 a8 00 00 b4 13 1e 00 00 00 0f'.repeat(7)),
  exceptions: hex(
    '0e 1e a4 7e 07 01 ff a4 7e 07 1f ff 1f 0f 2e b4 08 00 00 00 91 01 2f 39 05 1c 01 80 00 03 2e 2f 39 09',
  ),
  error: hex('91 02 91 28'),
  listError: hex('0e 91 02 91 28 0f 19 01'),
} as const;
