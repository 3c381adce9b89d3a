import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

/** Hashing that cannot eat the machine: at most `atOnce` run, the others wait their turn. */
export interface Passwords {
  /** PHC string of a new salt. */
  hash(password: string): Promise<string>;
  /** Takes the same time whether or not there is a hash: a stranger must not learn which logins exist. */
  verify(password: string, hash: string | null): Promise<boolean>;
  /** Made with other parameters than today's: replace it while the password is at hand. */
  isOutdated(hash: string): boolean;
}

export interface PasswordsDeps {
  readonly atOnce?: number;
  /** The costly step, of Node's own crypto. */
  readonly derive?: typeof derivation;
}

/** argon2id with 19 MiB, 2 passes, 1 lane (OWASP's first choice): about 35 ms. */
const TODAY = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const TAG_BYTES = 32;
const prefix = `$argon2id$v=19$m=${TODAY.memory},t=${TODAY.passes},p=${TODAY.parallelism}$`;
const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

const derivation = promisify(argon2);
const text = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

export function createPasswords({ atOnce = 4, derive = derivation }: PasswordsDeps = {}): Passwords {
  const inTurn = createGate(atOnce);
  /** Nobody's: its tag is random and matches no password. */
  const decoy = `${prefix}${text(randomBytes(16))}$${text(randomBytes(TAG_BYTES))}`;

  async function hash(password: string): Promise<string> {
    const nonce = randomBytes(16);
    const tag = await inTurn(() =>
      derive('argon2id', { ...TODAY, message: password, nonce, tagLength: TAG_BYTES }),
    );
    return `${prefix}${text(nonce)}$${text(tag)}`;
  }

  async function verify(password: string, stored: string | null): Promise<boolean> {
    const [, memory, passes, parallelism, salt = '', tag = ''] = PHC.exec(stored ?? decoy) ?? [];
    if (!memory) throw new Error('a stored password hash is not a PHC string of argon2id');
    const wanted = Buffer.from(tag, 'base64');
    const made = await inTurn(() =>
      derive('argon2id', {
        message: password,
        nonce: Buffer.from(salt, 'base64'),
        memory: Number(memory),
        passes: Number(passes),
        parallelism: Number(parallelism),
        tagLength: wanted.length,
      }),
    );
    return timingSafeEqual(made, wanted) && stored !== null;
  }

  return { hash, verify, isOutdated: (stored) => !stored.startsWith(prefix) };
}

/** Lets `atOnce` tasks run and queues the rest in order of arrival. */
function createGate(atOnce: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (task) => {
    // A finished task hands its place to the first in the queue, so `running` stays as it is for that one.
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await task();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
