import type { Identity } from '../device-table.ts';

/** Objects of function 43 / 14, clause 6.21: basic ones are 0 to 2, regular ones 3 to 6. */
const ids = { vendor: 0, product: 1, revision: 2, url: 3, productName: 4, model: 5, application: 6 } as const;
const TYPE = 14;
const REGULAR = 2;

/** Body of the reply to function 43, undefined for what the specification calls an illegal value. */
export function identification(body: Buffer, identity: Identity): Buffer | undefined {
  const [type, level = 0, from = 0] = body;
  if (type !== TYPE || level < 1 || level > REGULAR || body.length !== 3) return undefined;
  const last = level === REGULAR ? ids.application : ids.revision;
  const shown = Object.entries(ids).flatMap(([name, id]) => {
    const text = identity[name as keyof Identity];
    return text === undefined || id < from || id > last
      ? []
      : [Buffer.of(id, text.length, ...Buffer.from(text))];
  });
  return Buffer.concat([Buffer.of(TYPE, level, REGULAR, 0, 0, shown.length), ...shown]);
}

/** Body of the reply to function 17: the product, and that it runs. */
export function serverId(identity: Identity): Buffer {
  const text = Buffer.from(identity.product ?? 'device');
  return Buffer.concat([Buffer.of(text.length + 1), text, Buffer.of(0xff)]);
}
