import { DriverError } from '@parkline/kit';
import { expect, test } from 'vitest';
import type { Answer } from './line.ts';
import type { Request } from './requests.ts';
import { createTrust } from './trust.ts';

const echo: Answer = { kind: 'data', data: new Uint8Array(0) };
const refusal: Answer = { kind: 'exception', code: 1 };
const silence = new DriverError('timeout', 'no answer', 'line');

/** A unit that gives these answers to the questions it is asked, one after the other. */
function bench(...answers: readonly (Answer | DriverError)[]) {
  let time = 1_000;
  const left = [...answers];
  const asked: Request[] = [];
  const trust = createTrust(
    500,
    () => time,
    () => 0.5,
  );
  return {
    trust,
    asked,
    pass: (ms: number) => void (time += ms),
    assure: () =>
      trust.assure(7, (request) => {
        asked.push(request);
        const answer = left.shift();
        if (!answer) throw new Error('asked once too often');
        return answer instanceof DriverError ? Promise.reject(answer) : Promise.resolve(answer);
      }),
  };
}

test('a unit that always answered is asked nothing', async () => {
  const { assure, asked } = bench();
  await assure();
  expect(asked).toEqual([]);
});

test('after a time-out it must say a number again, once', async () => {
  const { trust, assure, asked } = bench(echo);
  trust.lose(7);
  await assure();
  await assure();
  expect(asked).toMatchObject([{ unit: 7, fc: 8, body: Uint8Array.of(0, 0, 0x80, 0) }]);
});

test('a unit that does not know the question proves the same by refusing it', async () => {
  const { trust, assure, asked } = bench(refusal);
  trust.lose(7);
  await assure();
  await assure();
  expect(asked).toHaveLength(1);
});

test('a refusal of a question of an earlier doubt proves nothing of this one', async () => {
  const { trust, assure, pass } = bench(silence, refusal, refusal, refusal);
  trust.lose(7);
  await expect(assure()).rejects.toMatchObject({ code: 'timeout' });
  pass(10);
  await assure(); // The first question's refusal, late; the second's is still to come.
  pass(10);
  trust.lose(7);
  pass(10);
  await expect(assure()).rejects.toThrow(/refused an older question/);
  await assure();
});

test('a unit that is silent to the question is believed again when it has been quiet for long', async () => {
  const { trust, assure, pass } = bench(silence, silence);
  trust.lose(7);
  pass(400);
  await expect(assure()).rejects.toMatchObject({ code: 'timeout' });
  pass(100);
  await assure();
  await assure();
});
