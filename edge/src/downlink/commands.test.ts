import { describe, expect, test } from 'vitest';
import { newKeys } from '../testing/cloud.ts';
import { command, signedCommand } from '../testing/commands.ts';
import { checkCommand } from './commands.ts';

const cloud = newKeys();
const us = { cloudKey: cloud.publicKey, gatewayId: command().gatewayId };
const codeOf = (bytes: Uint8Array): string => {
  const checked = checkCommand(bytes, us);
  return checked.ok ? 'ok' : checked.why;
};

describe('what claims to be a command', () => {
  test('is believed when the cloud signed it for this gateway', () => {
    expect(checkCommand(signedCommand(command(), cloud.privateKey), us)).toEqual({
      ok: true,
      command: command(),
    });
  });

  test('is not when somebody else signed it, or nobody', () => {
    expect(codeOf(signedCommand(command(), newKeys().privateKey))).toBe('signature');
    expect(codeOf(Buffer.from(JSON.stringify({ body: JSON.stringify(command()), sig: '' })))).toBe(
      'signature',
    );
    expect(codeOf(Buffer.from(JSON.stringify(command())))).toBe('unreadable');
  });

  test('is not when a byte of it was changed on the way', () => {
    const { body, sig } = JSON.parse(
      Buffer.from(signedCommand(command(), cloud.privateKey)).toString(),
    ) as Record<string, string>;
    const changed = body!.replace('"value":21', '"value":12');
    expect(changed).not.toBe(body);
    expect(codeOf(Buffer.from(JSON.stringify({ body: changed, sig })))).toBe('signature');
  });

  test('is not when it is for another gateway', () => {
    const other = command({ gatewayId: us.gatewayId.replace('0001', '0009') });
    expect(codeOf(signedCommand(other, cloud.privateKey))).toBe('gateway');
  });

  test.each([
    ['no JSON', 'stop everything'],
    ['another message', { gatewayId: us.gatewayId, epoch: 'f'.repeat(16), ranges: [], at: 1 }],
    ['no reason', { ...command(), reason: '' }],
    ['a value in words', { ...command(), value: 'high' }],
    ['a hold without end', { ...command(), holdS: 86_401 }],
  ])('is not when the cloud signed %s', (_, body) => {
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    expect(codeOf(signedCommand(text, cloud.privateKey))).toBe('schema');
  });

  test.each(['', '{', 'null', '[]', '{"body":1,"sig":2}', '\u{0}'.repeat(100)])(
    '%j is no command',
    (text) => {
      expect(codeOf(Buffer.from(text))).toBe('unreadable');
    },
  );
});
