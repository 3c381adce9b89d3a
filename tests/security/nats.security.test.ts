import { afterAll, beforeAll, expect, test } from 'vitest';
import { tryAll } from './attempts.ts';
import { natsAttacks } from './nats-attacks.ts';
import { openStage, settle, type Stage } from './nats-stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage.close());

test('a gateway that was taken over harms nobody but itself', async (context) => {
  const attacks = natsAttacks.map(({ attack, expected, run }) => ({
    ...{ attack, expected },
    run: async () => {
      stage.heard.length = 0;
      const seen = await run(stage);
      await settle(stage);
      return seen;
    },
  }));
  expect(await tryAll(context, 'message server', attacks)).toEqual([]);
});
