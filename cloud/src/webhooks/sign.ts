import { createHmac, randomBytes } from 'node:crypto';

/** `whsec_` and 32 random bytes in base64 (Standard Webhooks 1.0, "Signature scheme"). */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

/**
 * What is sent with a delivery: a signature by each of the secrets, of which a receiver has to know one. `at` is the moment
 * of sending: a receiver refuses what is too old. Pure.
 */
export function signedHeaders(
  secrets: readonly string[],
  id: string,
  at: Date,
  body: string,
): Record<string, string> {
  const timestamp = Math.floor(at.getTime() / 1_000);
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
    return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
  });
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  };
}
